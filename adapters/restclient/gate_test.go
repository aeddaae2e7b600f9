package restclient_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/restclient"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// authz returns a client of a service that answers as h does, and how many
// tokens were asked for.
func authz(t *testing.T, h http.HandlerFunc) (*restclient.Client, *atomic.Int64) {
	t.Helper()
	tokens := &atomic.Int64{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/auth/token" {
			if r.PostFormValue("resource") != "urn:bailiwick:tenant:"+identity.Platform.String() {
				t.Errorf("the token is for %s", r.PostFormValue("resource"))
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":600}`, tokens.Add(1))
			return
		}
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	return restclient.New(config.Platform{ClientID: "c", ClientSecret: "s", AuthURL: srv.URL, AuthzURL: srv.URL}), tokens
}

// A pull is one request, whatever comes of it; who pulls knows when to try again.
func TestPullIsSentOnce(t *testing.T) {
	t.Parallel()
	var pulls atomic.Int64
	c, tokens := authz(t, func(w http.ResponseWriter, r *http.Request) {
		switch pulls.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.WriteHeader(http.StatusUnauthorized) // a key that was taken out of use
		default:
			_, _ = fmt.Fprint(w, `{"unchanged":1,"changed":[],"later":[]}`)
		}
	})
	held := []access.TenantVersion{{Tenant: uuid.New(), Version: 3}}
	for n := range 2 {
		if _, err := c.Renew(t.Context(), held); err == nil || pulls.Load() != int64(n+1) {
			t.Errorf("pull %d: %v after %d requests", n, err, pulls.Load())
		}
	}
	if r, err := c.Renew(t.Context(), held); err != nil || r.Unchanged != 1 || tokens.Load() != 2 {
		t.Errorf("with a new token: %+v, %v, %d tokens", r, err, tokens.Load())
	}
}

func TestChangesComeUntilTheStreamEnds(t *testing.T) {
	t.Parallel()
	tenant := uuid.New()
	c, _ := authz(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "\n{\"tenant_id\":%q,\"version\":7}\n\n{\"tenant_id\":%q,\"version\":0}\n", tenant, tenant)
	})
	var opened int
	var got []access.TenantVersion
	err := c.Changes(t.Context(), func() { opened++ }, func(tenant uuid.UUID, version int64) {
		got = append(got, access.TenantVersion{Tenant: tenant, Version: version})
	})
	if !fault.Is(err, fault.Unavailable) || opened != 1 || len(got) != 2 || got[0] != (access.TenantVersion{Tenant: tenant, Version: 7}) || got[1].Version != 0 {
		t.Errorf("opened %d times, told %+v, then %v", opened, got, err)
	}
}

// A token that does not come must not hold up who can wait no longer.
func TestWaitingForATokenEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(release) })
	c := restclient.New(config.Platform{ClientID: "c", ClientSecret: "s", AuthURL: srv.URL, AuthzURL: srv.URL})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Check(ctx, uuid.New(), access.Subject{Client: "x"}, task.TasksRead, uuid.Nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v, want unavailable", err)
	}
}

// Who is not there cannot log in; that nobody answers says nothing of anybody.
func TestCanLogIn(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{200: "true <nil>", 404: "false <nil>", 500: "false internal"} {
		c, _ := authz(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, `{"enabled":true,"type":"#internal"}`)
		})
		can, err := c.CanLogIn(t.Context(), identity.Platform, uuid.New())
		if got := fmt.Sprint(can, " ", err); !strings.HasPrefix(got, want) {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}
