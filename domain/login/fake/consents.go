package fake

import (
	"cmp"
	"context"
	"maps"
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
	return slices.Clone(s.consents[consentKey{tenant, user, client}].Scopes), nil
}

// Consent implements login.Consents.
func (s *Store) Consent(_ context.Context, tenant identity.TenantID, user identity.UserID, client string, scopes []string, e login.Event) error {
	defer s.lock()()
	i := s.index(tenant, client)
	if i < 0 || !slices.ContainsFunc(s.credentials[tenant], func(c login.Credential) bool { return c.User == user }) {
		return notFound()
	}
	k := consentKey{tenant, user, client}
	all := append(slices.Clone(s.consents[k].Scopes), scopes...)
	slices.Sort(all)
	s.consents[k] = login.Consent{ClientID: client, Name: s.clients[tenant][i].Name, Scopes: slices.Compact(all), At: e.At}
	s.note(tenant, e)
	return nil
}

// Consents implements login.Consents.
func (s *Store) Consents(_ context.Context, who identity.Caller) (all []login.Consent, err error) {
	defer s.lock()()
	for k, c := range s.consents {
		if k.tenant == who.Tenant && k.user == who.User {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b login.Consent) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ClientID, b.ClientID))
	})
	return all, nil
}

// Withdraw implements login.Consents.
func (s *Store) Withdraw(_ context.Context, who identity.Caller, client string, e login.Event) error {
	defer s.lock()()
	k := consentKey{who.Tenant, who.User, client}
	if _, found := s.consents[k]; !found {
		return notFound()
	}
	delete(s.consents, k)
	g := s.of(who.Tenant)
	maps.DeleteFunc(g.codes, func(_ string, c login.Code) bool {
		return c.UserID == who.User && c.ClientID == client && !c.Used
	})
	for _, f := range g.families {
		f.ended = f.ended || f.UserID == who.User && f.ClientID == client
	}
	s.note(who.Tenant, e)
	return nil
}
