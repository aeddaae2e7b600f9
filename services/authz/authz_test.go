package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/authzdb"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// platform is one service on a database of its own, with one seeded tenant.
type platform struct {
	handler              http.Handler
	issuer               *resttest.Issuer
	tenant               uuid.UUID
	owner, member, inner string // tokens
	ownerID, memberID    uuid.UUID
}

func newPlatform(t *testing.T) *platform {
	t.Helper()
	p := &platform{issuer: resttest.NewIssuer(t), tenant: uuid.New(), ownerID: uuid.New(), memberID: uuid.New()}
	db := pgtest.New(t, "authz", authzdb.Migrations)
	cfg := config.Server{PublicURL: "http://api.test", CursorKey: []byte("0123456789abcdef0123456789abcdef")}
	p.handler = surface(cfg, p.issuer.Verifier(), nil, authzdb.New(db.App)).Handler()
	p.inner = p.issuer.Token(t, identity.Caller{Tenant: p.tenant, Client: "svc-users", Scopes: []string{identity.PlatformScope}})
	p.owner, p.member = p.person(t, p.tenant, p.ownerID), p.person(t, p.tenant, p.memberID)
	p.do(t, p.inner, "PUT", "/v1/platform/seed", nil).Want(t, 204)
	for id, role := range map[uuid.UUID]string{p.ownerID: access.Owner, p.memberID: access.Member} {
		p.do(t, p.inner, "PUT", "/v1/platform/assignments", map[string]string{"subject_kind": "user", "subject_id": id.String(), "role": role}).Want(t, 204)
	}
	return p
}

func (p *platform) person(t *testing.T, tenant, id uuid.UUID) string {
	return p.issuer.Token(t, identity.Caller{Tenant: tenant, User: id, Scopes: []string{"authz"}})
}

func (p *platform) do(t *testing.T, token, method, path string, body any, headers ...string) resttest.Response {
	t.Helper()
	return resttest.Do(t, p.handler, token, method, "/authz"+path, body, headers...)
}

func TestRoleLivesFromCreationToDeletion(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	made := p.do(t, p.owner, "POST", "/v1/roles", map[string]any{"name": "clerk", "permissions": []string{"tasks:read"}}).Want(t, 201)
	at := strings.TrimPrefix(made.Header.Get("Location"), "/authz")
	p.do(t, p.owner, "PUT", at+"/permissions", `{"permissions":["tasks:read","tasks:write"]}`).Want(t, 428)
	p.do(t, p.owner, "PUT", at+"/permissions", `{"permissions":["no:such"]}`, "If-Match", `"1"`).Want(t, 422)
	set := p.do(t, p.owner, "PUT", at+"/permissions", `{"permissions":["tasks:read","tasks:write"]}`, "If-Match", `"1"`).Want(t, 200)
	if got := resttest.JSON[access.Role](t, set); len(got.Permissions) != 2 || set.Header.Get("ETag") != `"2"` {
		t.Errorf("after setting: %+v, ETag %s", got, set.Header.Get("ETag"))
	}
	p.do(t, p.owner, "PATCH", at, `{"description":"x"}`, "If-Match", `"1"`).Want(t, 412)
	p.do(t, p.owner, "PATCH", at, `{"tenant_id":"x"}`, "If-Match", `"2"`).Want(t, 422)
	p.do(t, p.owner, "DELETE", at, nil, "If-Match", `"2"`).Want(t, 204)
	p.do(t, p.owner, "GET", at, nil).Want(t, 404)
}

func TestPolicyDecidesAndAMemberMayNotChangeIt(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for perm, want := range map[string]bool{"tasks:write": true, "users:invite": false, "no:such": false} {
		got := resttest.JSON[access.Decision](t, p.do(t, p.member, "POST", "/v1/check", map[string]string{"permission": perm}).Want(t, 200))
		if got.Allowed != want || got.PolicyVersion == 0 {
			t.Errorf("%s: %+v, want %v", perm, got, want)
		}
	}
	p.do(t, p.member, "POST", "/v1/check", map[string]string{"permission": "tasks:read", "subject_kind": "user", "subject_id": p.ownerID.String()}).Want(t, 403)
	p.do(t, p.member, "POST", "/v1/roles", map[string]any{"name": "mine"}).Want(t, 403)
	p.do(t, p.member, "POST", "/v1/assignments", map[string]string{"subject_kind": "user", "subject_id": p.memberID.String(), "role": "owner"}).Want(t, 403)
	p.do(t, p.owner, "DELETE", "/v1/assignments/user/"+p.ownerID.String()+"/owner", nil).Want(t, 409)
	p.do(t, "", "GET", "/v1/roles", nil).Want(t, 401)
	p.do(t, p.owner, "GET", "/v1/platform/policy", nil).Want(t, 403)
}

// Whatever a name holds, it is data: it matches itself alone.
func TestNamesAreData(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for i, name := range []string{"a, b", `"quoted"`, "two\nlines", "*", ".*", "g, user, owner", "a/b", "100% ?#"} {
		p.do(t, p.owner, "POST", "/v1/roles", map[string]any{"name": name, "permissions": []string{"tenant:read"}}).Want(t, 201)
		user := uuid.New()
		p.do(t, p.owner, "POST", "/v1/assignments", map[string]string{"subject_kind": "user", "subject_id": user.String(), "role": name}).Want(t, 201)
		for perm, want := range map[string]bool{"tenant:read": true, "tenant:write": false} {
			d := resttest.JSON[access.Decision](t, p.do(t, p.person(t, p.tenant, user), "POST", "/v1/check", map[string]string{"permission": perm}).Want(t, 200))
			if d.Allowed != want {
				t.Errorf("role %d %q: %s = %v", i, name, perm, d.Allowed)
			}
		}
		p.do(t, p.owner, "DELETE", fmt.Sprintf("/v1/assignments/user/%s/%s", user, url.PathEscape(name)), nil).Want(t, 204)
		d := resttest.JSON[access.Decision](t, p.do(t, p.person(t, p.tenant, user), "POST", "/v1/check", map[string]string{"permission": "tenant:read"}))
		if d.Allowed {
			t.Errorf("role %q taken away still holds", name)
		}
	}
}

func TestAnotherTenantIsUnknown(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	made := p.do(t, p.owner, "POST", "/v1/roles", map[string]any{"name": "clerk"}).Want(t, 201)
	at := strings.TrimPrefix(made.Header.Get("Location"), "/authz")
	other := uuid.New()
	inner := p.issuer.Token(t, identity.Caller{Tenant: other, Client: "svc-users", Scopes: []string{identity.PlatformScope}})
	p.do(t, inner, "PUT", "/v1/platform/seed", nil).Want(t, 204)
	boss := uuid.New()
	p.do(t, inner, "PUT", "/v1/platform/assignments", map[string]string{"subject_kind": "user", "subject_id": boss.String(), "role": "owner"}).Want(t, 204)
	p.do(t, p.person(t, other, boss), "GET", at, nil).Want(t, 404)
	p.do(t, p.person(t, other, boss), "DELETE", at, nil, "If-Match", `"1"`).Want(t, 404)
	page := resttest.JSON[rest.Page[access.Role]](t, p.do(t, p.owner, "GET", "/v1/roles?limit=1", nil).Want(t, 200))
	p.do(t, p.owner, "GET", "/v1/roles?limit=1&cursor="+page.NextCursor, nil).Want(t, 200)
	p.do(t, p.person(t, other, boss), "GET", "/v1/roles?limit=1&cursor="+page.NextCursor, nil).Want(t, 400)
}

func TestPolicyIsPulledConditionally(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	first := p.do(t, p.inner, "GET", "/v1/platform/policy", nil).Want(t, 200)
	tag := first.Header.Get("ETag")
	p.do(t, p.inner, "GET", "/v1/platform/policy", nil, "If-None-Match", tag).Want(t, http.StatusNotModified)
	p.do(t, p.owner, "POST", "/v1/roles", map[string]any{"name": "clerk"}).Want(t, 201)
	if next := p.do(t, p.inner, "GET", "/v1/platform/policy", nil, "If-None-Match", tag).Want(t, 200); next.Header.Get("ETag") == tag {
		t.Error("the ETag stays after a change")
	}
}

func TestDocumentShowsNothingInternal(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/authz/openapi.json", nil))
	if strings.Contains(w.Body.String(), "platform/") || !strings.Contains(w.Body.String(), "/authz/v1/check") {
		t.Error("the document shows internal operations, or no public ones")
	}
}
