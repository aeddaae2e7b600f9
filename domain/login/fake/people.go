package fake

import (
	"context"
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

func (s *Store) note(tenant uuid.UUID, e login.Event) {
	e.Sequence = int64(len(s.events[tenant])) + 1
	s.events[tenant] = append(s.events[tenant], e)
}

// PutCredential implements login.Store.
func (s *Store) PutCredential(_ context.Context, tenant identity.TenantID, c login.Credential, e login.Event) error {
	defer s.lock()()
	if slices.ContainsFunc(s.credentials[tenant], func(x login.Credential) bool { return x.Email == c.Email && x.User != c.User }) {
		return fault.New(fault.Conflict, "email_taken", "another person of the tenant has this address")
	}
	if c.Enabled {
		c.Attempt = everOpen
	}
	if slices.ContainsFunc(s.credentials[tenant], func(x login.Credential) bool { return x.User == c.User && x.Attempt > c.Attempt }) {
		return nil
	}
	s.endAll(tenant, c.User, uuid.Nil)
	s.credentials[tenant] = append(slices.DeleteFunc(s.credentials[tenant], func(x login.Credential) bool { return x.User == c.User }), c)
	s.note(tenant, e)
	return nil
}

// everOpen is the attempt of what was ever open: none is higher.
const everOpen = math.MaxInt64

func (s *Store) enable(tenant, user uuid.UUID, enabled bool, e login.Event) error {
	defer s.lock()()
	for i, c := range s.credentials[tenant] {
		if c.User == user {
			if s.credentials[tenant][i].Enabled = enabled; enabled {
				s.credentials[tenant][i].Attempt = everOpen
			} else {
				s.endAll(tenant, user, uuid.Nil)
			}
			if enabled != c.Enabled {
				s.note(tenant, e)
			}
			return nil
		}
	}
	return notFound()
}

// EnableCredential implements login.Store.
func (s *Store) EnableCredential(_ context.Context, tenant identity.TenantID, user identity.UserID, e login.Event) error {
	return s.enable(tenant, user, true, e)
}

// DisableCredential implements login.Store.
func (s *Store) DisableCredential(_ context.Context, tenant identity.TenantID, user identity.UserID, e login.Event) error {
	return s.enable(tenant, user, false, e)
}

// DropCredential implements login.Store.
func (s *Store) DropCredential(_ context.Context, tenant identity.TenantID, user identity.UserID, e login.Event) error {
	defer s.lock()()
	left := slices.DeleteFunc(slices.Clone(s.credentials[tenant]), func(c login.Credential) bool { return c.User == user })
	if len(left) < len(s.credentials[tenant]) {
		s.endAll(tenant, user, uuid.Nil)
		maps.DeleteFunc(s.consents, func(k consentKey, _ login.Consent) bool { return k.tenant == tenant && k.user == user })
		s.note(tenant, e)
	}
	s.credentials[tenant] = left
	return nil
}

func (s *Store) suspend(tenant uuid.UUID, suspended bool, e login.Event) error {
	defer s.lock()()
	if s.suspended[tenant] != suspended {
		s.note(tenant, e)
	}
	s.suspended[tenant] = suspended
	return nil
}

// SuspendTenant implements login.Store.
func (s *Store) SuspendTenant(_ context.Context, tenant identity.TenantID, e login.Event) error {
	return s.suspend(tenant, true, e)
}

// ResumeTenant implements login.Store.
func (s *Store) ResumeTenant(_ context.Context, tenant identity.TenantID, e login.Event) error {
	return s.suspend(tenant, false, e)
}

// Audit implements login.Store.
func (s *Store) Audit(_ context.Context, who identity.Caller, r page.Request) (page.Result[login.Event], error) {
	defer s.lock()()
	after := binary.BigEndian.Uint64(r.After.ID[8:])
	rest := slices.Clone(s.events[who.Tenant][after:])
	return page.Cut(rest[:min(len(rest), r.Limit+1)], r.Limit, func(e login.Event) (k page.Key) {
		binary.BigEndian.PutUint64(k.ID[8:], uint64(e.Sequence))
		return k
	}), nil
}
