package conformance

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

func event(action string) login.Event {
	return login.EventOf(identity.Caller{Client: "svc-users"}, action, "")
}

func addresses(t *testing.T, s login.Store) {
	a, b := uuid.New(), uuid.New()
	ada := login.Credential{User: uuid.New(), Email: "ada@acme.example", Hash: "h"}
	for _, tenant := range []uuid.UUID{a, a, b} { // again, and in another tenant
		if err := s.PutCredential(t.Context(), tenant, ada, event(login.PasswordSet)); err != nil {
			t.Fatal(err)
		}
	}
	ada.User = uuid.New()
	wantKind(t, "another person with the address", s.PutCredential(t.Context(), a, ada, event(login.PasswordSet)), fault.Conflict)
}

func opened(t *testing.T, s login.Store) {
	tenant, user := uuid.New(), uuid.New()
	wantKind(t, "nobody's credential", s.EnableCredential(t.Context(), tenant, user, event(login.PersonEnabled)), fault.NotFound)
	wantKind(t, "disabling nobody's", s.DisableCredential(t.Context(), tenant, user, event(login.PersonDisabled)), fault.NotFound)
	if err := s.PutCredential(t.Context(), tenant, login.Credential{User: user, Email: "a@b.example", Hash: "h"}, event(login.PasswordSet)); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "from another tenant", s.EnableCredential(t.Context(), uuid.New(), user, event(login.PersonEnabled)), fault.NotFound)
	for range 2 {
		if err := s.EnableCredential(t.Context(), tenant, user, event(login.PersonEnabled)); err != nil {
			t.Fatal(err)
		}
		if err := s.DisableCredential(t.Context(), tenant, user, event(login.PersonDisabled)); err != nil {
			t.Fatal(err)
		}
	}
	open := login.Credential{User: user, Email: "a@b.example", Hash: "h", Enabled: true}
	late := login.Credential{User: user, Email: "a@b.example", Hash: "late"}
	for _, c := range []login.Credential{open, late} {
		if err := s.PutCredential(t.Context(), tenant, c, event(login.PasswordSet)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Credential(t.Context(), tenant, user); err != nil || !got.Enabled || got.Hash != "h" {
		t.Errorf("after a closed one was put over an open one: %+v, %v", got, err)
	}
	for range 2 {
		if err := s.DropCredential(t.Context(), tenant, user, event(login.PersonRemoved)); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, "one that is gone", s.EnableCredential(t.Context(), tenant, user, event(login.PersonEnabled)), fault.NotFound)
}

func attempts(t *testing.T, s login.Store) {
	tenant, user := uuid.New(), uuid.New()
	put := func(c login.Credential, want string) {
		t.Helper()
		c.User, c.Email, c.Name, c.Organisation = user, "a@b.example", "Ada", "Acme"
		must(t, s.PutCredential(t.Context(), tenant, c, event(login.PasswordSet)))
		if got, err := s.Credential(t.Context(), tenant, user); err != nil || got.Hash != want || got.Name != c.Name || got.Organisation != c.Organisation {
			t.Errorf("after %+v: %+v, %v, want %s", c, got, err, want)
		}
	}
	put(login.Credential{Attempt: 2, Hash: "second"}, "second")
	put(login.Credential{Attempt: 1, Hash: "first, late"}, "second")
	put(login.Credential{Attempt: 2, Hash: "second, again"}, "second, again")
	put(login.Credential{Attempt: 3, Hash: "third"}, "third")
	must(t, s.EnableCredential(t.Context(), tenant, user, event(login.PersonEnabled)))
	put(login.Credential{Attempt: 4, Hash: "late"}, "third")
	must(t, s.SetPassword(t.Context(), tenant, user, "third", "changed", uuid.Nil, event(login.PasswordChanged)))
	must(t, s.DisableCredential(t.Context(), tenant, user, event(login.PersonDisabled)))
	put(login.Credential{Attempt: 4, Hash: "late"}, "changed")
	put(login.Credential{Enabled: true, Hash: "from elsewhere"}, "from elsewhere")
	must(t, s.DisableCredential(t.Context(), tenant, user, event(login.PersonDisabled)))
	put(login.Credential{Attempt: 4, Hash: "late"}, "from elsewhere")
}

func trail(t *testing.T, s login.Store) {
	tenant, user := uuid.New(), uuid.New()
	_ = s.EnableCredential(t.Context(), tenant, user, event(login.PersonEnabled)) // finds nobody, and leaves no entry
	for _, err := range []error{
		s.PutCredential(t.Context(), tenant, login.Credential{User: user, Email: "a@b.example", Hash: "h"}, event(login.PasswordSet)),
		s.EnableCredential(t.Context(), tenant, user, event(login.PersonEnabled)), s.EnableCredential(t.Context(), tenant, user, event(login.PersonEnabled)), // again: no entry
		s.DisableCredential(t.Context(), tenant, user, event(login.PersonDisabled)),
		s.DisableCredential(t.Context(), tenant, user, event(login.PersonDisabled)),                                                            // again: no entry
		s.SuspendTenant(t.Context(), tenant, event(login.TenantSuspended)), s.SuspendTenant(t.Context(), tenant, event(login.TenantSuspended)), // again: no entry
		s.ResumeTenant(t.Context(), tenant, event(login.TenantResumed)), s.ResumeTenant(t.Context(), tenant, event(login.TenantResumed)),
		s.DropCredential(t.Context(), tenant, user, event(login.PersonRemoved)), s.DropCredential(t.Context(), tenant, user, event(login.PersonRemoved)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for r := (page.Request{Limit: 4}); ; {
		events, err := s.Audit(t.Context(), identity.Caller{Tenant: tenant}, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events.Items {
			if got = append(got, e.Action); e.Sequence != int64(len(got)) || e.Actor != "client:svc-users" || e.At.IsZero() {
				t.Errorf("entry %+v", e)
			}
		}
		if events.Next == nil {
			break
		}
		r.After = *events.Next
	}
	want := []string{login.PasswordSet, login.PersonEnabled, login.PersonDisabled, login.TenantSuspended, login.TenantResumed, login.PersonRemoved}
	if !slices.Equal(got, want) {
		t.Errorf("the trail is %v, want %v", got, want)
	}
	if other, err := s.Audit(t.Context(), identity.Caller{Tenant: uuid.New()}, page.Request{Limit: 10}); err != nil || len(other.Items) != 0 {
		t.Errorf("another tenant reads %v, %v", other.Items, err)
	}
}
