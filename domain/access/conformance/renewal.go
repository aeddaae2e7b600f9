package conformance

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// gate is the caller that asks for many tenants.
var gate = identity.Caller{Tenant: identity.Platform, Client: "svc-tasks", Scopes: []string{identity.PlatformScope}}

func renewal(t *testing.T, w *world) {
	tenant, unknown := w.platform.Tenant, uuid.Must(uuid.NewV7())
	ask := func(held ...access.TenantVersion) access.Renewal {
		t.Helper()
		r, err := w.Renew(t.Context(), gate, held)
		if err != nil || r.Unchanged+len(r.Changed)+len(r.Later) != len(held) {
			t.Fatalf("renewal of %d: %+v, %v", len(held), r, err)
		}
		return r
	}
	now := w.snapshot(t).Version
	got := ask(access.TenantVersion{Tenant: tenant, Version: now}, access.TenantVersion{Tenant: unknown, Version: access.NoVersion})
	if got.Unchanged != 1 || len(got.Changed) != 1 || got.Changed[0].Tenant != unknown || got.Changed[0].Policy.Version != 0 {
		t.Errorf("one unchanged and one unknown: %+v", got)
	}
	w.person(t, access.Member)
	got = ask(access.TenantVersion{Tenant: tenant, Version: now})
	if len(got.Changed) != 1 || got.Changed[0].Policy.Version != now+1 {
		t.Errorf("after a change: %+v, want version %d", got, now+1)
	}
	if err := w.Unseed(t.Context(), w.platform); err != nil {
		t.Fatal(err)
	}
	got = ask(access.TenantVersion{Tenant: tenant, Version: now + 1})
	if len(got.Changed) != 1 || len(got.Changed[0].Policy.Assignments) != 0 {
		t.Errorf("after the erasure: %+v, want the empty policy", got)
	}
}

func renewalIsBounded(t *testing.T, w *world) {
	held := make([]access.TenantVersion, access.MaxHeld)
	for i := range held {
		held[i] = access.TenantVersion{Tenant: uuid.New(), Version: 0}
	}
	for i := range 150 {
		held[i].Version = access.NoVersion
	}
	r, err := w.Renew(t.Context(), gate, held)
	if got, want := fmt.Sprint(r.Unchanged, len(r.Changed), len(r.Later), err), "9850 100 50 <nil>"; got != want {
		t.Errorf("unchanged, changed, later: %s, want %s", got, want)
	}
}

func renewalIsForThePlatform(t *testing.T, w *world) {
	for what, who := range map[string]identity.Caller{"an owner": w.owner, "our own service, for one tenant": w.platform, "a client without the scope": {Tenant: identity.Platform, Client: "x"}} {
		_, err := w.Renew(t.Context(), who, nil)
		wantKind(t, what, err, fault.Forbidden)
	}
}
