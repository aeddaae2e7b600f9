// Package fake keeps clients, credentials and grants in memory, for tests of what uses them.
package fake

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

// Store is a login.Store and login.Grants. Its zero value is empty and ready.
type Store struct {
	mu          sync.Mutex
	clients     map[uuid.UUID][]login.Client
	credentials map[uuid.UUID][]login.Credential
	receipts    map[string]receipt
	grants      map[uuid.UUID]*grants
	suspended   map[uuid.UUID]bool
	events      map[uuid.UUID][]login.Event
	sessions    map[uuid.UUID][]session
	consents    map[consentKey]login.Consent
	failures    map[string]failures
	links       []*link
	devices     []device
}

type receipt struct {
	fingerprint string
	client      login.Client
}

var _ login.Store = (*Store)(nil)

func (s *Store) lock() func() {
	s.mu.Lock()
	if s.clients == nil {
		s.clients, s.credentials, s.receipts = map[uuid.UUID][]login.Client{}, map[uuid.UUID][]login.Credential{}, map[string]receipt{}
		s.suspended, s.events = map[uuid.UUID]bool{}, map[uuid.UUID][]login.Event{}
		s.sessions, s.consents = map[uuid.UUID][]session{}, map[consentKey]login.Consent{}
		s.failures = map[string]failures{}
	}
	return s.mu.Unlock
}

func notFound() error { return fault.New(fault.NotFound, "not_found", "there is no such thing") }

// AddClient implements login.Store.
func (s *Store) AddClient(_ context.Context, who identity.Caller, c login.Client) (login.Client, error) {
	defer s.lock()()
	if once := who.Request.Once; once != nil {
		if done, err := s.done(who); err != nil {
			return c, err
		} else if done {
			return s.receipts[keyOf(who)].client, nil
		}
		s.receipts[keyOf(who)] = receipt{once.Fingerprint, c}
	}
	s.clients[who.Tenant] = append(s.clients[who.Tenant], c)
	return c, nil
}

// Clients implements login.Store.
func (s *Store) Clients(_ context.Context, who identity.Caller, r page.Request) (page.Result[login.Client], error) {
	defer s.lock()()
	key := func(c login.Client) page.Key { return page.Key{At: c.CreatedAt, ID: uuid.MustParse(c.ID)} }
	order := func(a, b page.Key) int {
		if n := a.At.Compare(b.At); n != 0 {
			return n
		}
		return slices.Compare(a.ID[:], b.ID[:])
	}
	all := slices.SortedFunc(slices.Values(s.clients[who.Tenant]), func(a, b login.Client) int { return order(key(a), key(b)) })
	if r.After != (page.Key{}) {
		all = slices.DeleteFunc(all, func(c login.Client) bool { return order(key(c), r.After) <= 0 })
	}
	return page.Cut(all[:min(len(all), r.Limit+1)], r.Limit, key), nil
}

func (s *Store) index(tenant uuid.UUID, id string) int {
	return slices.IndexFunc(s.clients[tenant], func(c login.Client) bool { return c.ID == id })
}

// Client implements login.Store.
func (s *Store) Client(_ context.Context, who identity.Caller, id string) (login.Client, error) {
	defer s.lock()()
	if i := s.index(who.Tenant, id); i >= 0 {
		return s.clients[who.Tenant][i], nil
	}
	return login.Client{}, notFound()
}

// ChangeClient implements login.Store.
func (s *Store) ChangeClient(_ context.Context, who identity.Caller, was, c login.Client) (login.Client, error) {
	defer s.lock()()
	i := s.index(who.Tenant, c.ID)
	if i < 0 || s.clients[who.Tenant][i].Version != c.Version-1 {
		return c, login.Stale()
	}
	c.FirstParty = s.clients[who.Tenant][i].FirstParty
	s.clients[who.Tenant][i] = c
	maps.DeleteFunc(s.consents, func(k consentKey, _ login.Consent) bool {
		return k.tenant == who.Tenant && k.client == c.ID && c.LeadsElsewhere(was)
	})
	return c, nil
}

// SetFirstParty implements login.Store.
func (s *Store) SetFirstParty(_ context.Context, tenant identity.TenantID, id string, firstParty bool) error {
	defer s.lock()()
	i := s.index(tenant, id)
	if i < 0 {
		return notFound()
	}
	s.clients[tenant][i].FirstParty = firstParty
	s.clients[tenant][i].Version++
	return nil
}

// DeleteClient implements login.Store.
func (s *Store) DeleteClient(_ context.Context, who identity.Caller, id string, version int64) error {
	defer s.lock()()
	i := s.index(who.Tenant, id)
	switch {
	case i < 0:
		return notFound()
	case s.clients[who.Tenant][i].Version != version:
		return login.Stale()
	}
	s.clients[who.Tenant] = slices.Delete(s.clients[who.Tenant], i, i+1)
	return nil
}

// PutClient implements login.Store.
func (s *Store) PutClient(_ context.Context, tenant identity.TenantID, c login.Client) error {
	defer s.lock()()
	if s.index(tenant, c.ID) < 0 {
		s.clients[tenant] = append(s.clients[tenant], c)
		s.note(tenant, login.Event{Action: login.ClientCreated})
	}
	return nil
}

// DropClient implements login.Store.
func (s *Store) DropClient(_ context.Context, tenant identity.TenantID, id string) error {
	defer s.lock()()
	s.clients[tenant] = slices.DeleteFunc(s.clients[tenant], func(c login.Client) bool { return c.ID == id })
	return nil
}
