package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/postgres/authzdb"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// gateToken is for no tenant, as the gates of our services have it.
func (p *platform) gateToken(t *testing.T) string {
	return p.issuer.Token(t, identity.Caller{Tenant: identity.Platform, Client: "svc-tasks", Scopes: []string{identity.PlatformScope}})
}

func TestOnePullIsForManyTenants(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	token, other := p.gateToken(t), uuid.New()
	pull := func(mine int64) access.Renewal {
		t.Helper()
		held := []access.TenantVersion{{Tenant: p.tenant, Version: mine}, {Tenant: other, Version: 0}}
		return resttest.JSON[access.Renewal](t, p.do(t, token, "POST", "/v1/platform/policies", map[string]any{"held": held}).Want(t, 200))
	}
	first := pull(access.NoVersion)
	if len(first.Changed) != 1 || first.Changed[0].Tenant != p.tenant || first.Unchanged != 1 {
		t.Fatalf("the first pull: %+v", first)
	}
	now := first.Changed[0].Policy.Version
	if again := pull(now); len(again.Changed) != 0 || again.Unchanged != 2 {
		t.Errorf("nothing has changed, but: %+v", again)
	}
	p.do(t, p.owner, "POST", "/v1/roles", map[string]any{"name": "clerk"}).Want(t, 201)
	if next := pull(now); len(next.Changed) != 1 || next.Changed[0].Policy.Version != now+1 {
		t.Errorf("after a change: %+v, want version %d", next, now+1)
	}
}

func TestPullIsForOurServicesAndBounded(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for what, token := range map[string]string{"an owner": p.owner, "our service, for one tenant": p.inner} {
		for _, r := range []struct{ method, path string }{{"POST", "/v1/platform/policies"}, {"GET", "/v1/platform/changes"}} {
			if got := p.do(t, token, r.method, r.path, map[string]any{"held": []any{}}); got.Status != 403 {
				t.Errorf("%s: %s answers %d, want 403", what, r.path, got.Status)
			}
		}
	}
	many := make([]access.TenantVersion, access.MaxHeld+1)
	p.do(t, p.gateToken(t), "POST", "/v1/platform/policies", map[string]any{"held": many}).Want(t, 422)
	p.do(t, p.gateToken(t), "POST", "/v1/platform/policies", map[string]any{"held": many[1:]}).Want(t, 200)
}

// What one replica of the service changes is told by every replica, and the
// streams end with the process.
func TestChangesAreTold(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go authzdb.Listen(ctx, p.database.AppURL, p.changes.tell)
	go p.changes.endWith(ctx)
	srv := httptest.NewServer(p.handler)
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/authz/v1/platform/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.gateToken(t))
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v, %v", resp, err)
	}
	defer resp.Body.Close()
	told := make(chan access.TenantVersion, 1000)
	go func() {
		defer close(told)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			var v access.TenantVersion
			if json.Unmarshal(lines.Bytes(), &v) == nil {
				told <- v
			}
		}
	}()
	version := int64(0)
	for len(told) == 0 { // until PostgreSQL is listened to
		made := p.do(t, p.owner, "POST", "/v1/permissions", map[string]any{"name": "x:" + uuid.NewString()}).Want(t, 201)
		version = resttest.JSON[struct {
			PolicyVersion int64 `json:"policy_version"`
		}](t, made).PolicyVersion
		time.Sleep(50 * time.Millisecond)
		if t.Context().Err() != nil {
			return
		}
	}
	last := access.TenantVersion{}
	for last.Version < version {
		last = <-told
	}
	if last != (access.TenantVersion{Tenant: p.tenant, Version: version}) {
		t.Errorf("told of %+v, want %s at %d", last, p.tenant, version)
	}
	stop()
	for range told { // until the stream has ended
	}
}
