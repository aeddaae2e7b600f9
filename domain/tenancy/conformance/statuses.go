package conformance

import (
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

func statuses(t *testing.T, w world) {
	r, who := w.made(t, "acme")
	_, other := w.made(t, "other")
	wantKind(t, "suspending a tenant that is not active", w.SetTenantStatus(t.Context(), who.Tenant, tenancy.TenantSuspended), fault.Conflict)
	if err := w.Activate(t.Context(), r.ID, clock()); err != nil {
		t.Fatal(err)
	}
	_, err := w.SetUserStatus(t.Context(), other, who.User, tenancy.UserDisabled)
	wantKind(t, "another tenant's person", err, fault.NotFound)
	who.Request.Once = &identity.Once{Key: uuid.NewString(), Fingerprint: "f"}
	for _, status := range []string{tenancy.UserDisabled, tenancy.UserActive} {
		who.Request.Once.Key = uuid.NewString()
		for range 2 {
			if u, err := w.SetUserStatus(t.Context(), who, who.User, status); err != nil || u.Status != status || u.ID != who.User || u.Email == "" {
				t.Errorf("the person is %+v, %v", u, err)
			}
		}
	}
	for _, status := range []string{tenancy.TenantSuspended, tenancy.TenantActive} {
		if err := w.SetTenantStatus(t.Context(), who.Tenant, status); err != nil {
			t.Fatal(err)
		}
		if got, err := w.Tenant(t.Context(), who); err != nil || got.Status != status {
			t.Errorf("the tenant is %+v, %v, want %s", got, err, status)
		}
		_ = w.RemoveTenant(t.Context(), who.Tenant) // what was active once is not removed
	}
	if _, err := w.User(t.Context(), who, who.User); err != nil {
		t.Errorf("the tenant's person: %v", err)
	}
}
