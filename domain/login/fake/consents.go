package fake

import (
	"context"
	"slices"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

type consentKey struct {
	tenant, user identity.UserID
	client       string
}

// Consented implements login.Consents.
func (s *Store) Consented(_ context.Context, tenant identity.TenantID, user identity.UserID, client string) ([]string, error) {
	defer s.lock()()
	return slices.Clone(s.consents[consentKey{tenant, user, client}]), nil
}

// Consent implements login.Consents.
func (s *Store) Consent(_ context.Context, tenant identity.TenantID, user identity.UserID, client string, scopes []string, e login.Event) error {
	defer s.lock()()
	if s.index(tenant, client) < 0 || !slices.ContainsFunc(s.credentials[tenant], func(c login.Credential) bool { return c.User == user }) {
		return notFound()
	}
	k := consentKey{tenant, user, client}
	all := append(slices.Clone(s.consents[k]), scopes...)
	slices.Sort(all)
	s.consents[k] = slices.Compact(all)
	s.note(tenant, e)
	return nil
}
