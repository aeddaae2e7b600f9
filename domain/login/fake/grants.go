package fake

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// grants are one tenant's.
type grants struct {
	requests map[string]login.PushedRequest
	codes    map[string]login.Code
	families map[uuid.UUID]*family
	tokens   map[string]*token
	revoked  map[string]bool
}

type family struct {
	login.Family
	ended bool
}

type token struct {
	family  uuid.UUID
	expires time.Time
	used    time.Time
}

var _ login.Grants = (*Store)(nil)

func (s *Store) of(tenant uuid.UUID) *grants {
	if s.grants == nil {
		s.grants = map[uuid.UUID]*grants{}
	}
	if s.grants[tenant] == nil {
		s.grants[tenant] = &grants{map[string]login.PushedRequest{}, map[string]login.Code{}, map[uuid.UUID]*family{}, map[string]*token{}, map[string]bool{}}
	}
	return s.grants[tenant]
}

// enabled reports whether a grant's client and person are.
func (s *Store) enabled(tenant uuid.UUID, client string, user uuid.UUID) bool {
	i := s.index(tenant, client)
	return i >= 0 && s.clients[tenant][i].Enabled && s.works(tenant, user)
}

func (s *Store) works(tenant, user uuid.UUID) bool {
	return slices.ContainsFunc(s.credentials[tenant], func(c login.Credential) bool { return c.User == user && c.Enabled })
}

func (s *Store) living(tenant uuid.UUID, f *family) bool {
	return f != nil && !f.ended && f.ExpiresAt.After(time.Now()) && s.enabled(tenant, f.ClientID, f.UserID)
}

// AddRequest implements login.Grants.
func (s *Store) AddRequest(_ context.Context, tenant identity.TenantID, p login.PushedRequest) error {
	defer s.lock()()
	waiting := 0
	for _, was := range s.of(tenant).requests {
		if was.ClientID == p.ClientID && was.Network == p.Network && was.ExpiresAt.After(time.Now()) {
			waiting++
		}
	}
	if p.Network != "" && waiting >= login.MostRequests {
		return login.ErrTooManyRequests
	}
	s.of(tenant).requests[string(p.Hash)] = p
	return nil
}

// Request implements login.Grants.
func (s *Store) Request(_ context.Context, tenant identity.TenantID, hash []byte) (login.PushedRequest, error) {
	defer s.lock()()
	if p, ok := s.of(tenant).requests[string(hash)]; ok && p.ExpiresAt.After(time.Now()) {
		return p, nil
	}
	return login.PushedRequest{}, notFound()
}

// AddCode implements login.Grants.
func (s *Store) AddCode(_ context.Context, tenant identity.TenantID, c login.Code) error {
	defer s.lock()()
	if c.SessionID != uuid.Nil && !slices.ContainsFunc(s.sessions[tenant], func(at session) bool { return at.ID == c.SessionID }) {
		return notFound()
	}
	g := s.of(tenant)
	if _, asked := g.requests[string(c.Pushed)]; c.Pushed != nil && !asked {
		return notFound()
	}
	delete(g.requests, string(c.Pushed))
	c.Pushed = nil
	g.codes[string(c.Hash)] = c
	return nil
}

// Code implements login.Grants.
func (s *Store) Code(_ context.Context, tenant identity.TenantID, hash []byte) (login.Code, error) {
	defer s.lock()()
	if c, ok := s.of(tenant).codes[string(hash)]; ok && (c.Used || c.ExpiresAt.After(time.Now())) {
		return c, nil
	}
	return login.Code{}, notFound()
}

// Exchange implements login.Grants.
func (s *Store) Exchange(_ context.Context, tenant identity.TenantID, e login.Exchange) (bool, error) {
	defer s.lock()()
	g := s.of(tenant)
	c, ok := g.codes[string(e.Code)]
	switch {
	case !ok || c.ClientID != e.ClientID:
		return false, nil
	case c.Used:
		s.end(tenant, c.FamilyID, e.Replayed)
		return false, nil
	case c.ExpiresAt.Before(time.Now()) || !s.enabled(tenant, c.ClientID, c.UserID):
		return false, nil
	}
	if c.Used = true; e.Offline {
		c.SessionID = uuid.Nil
	}
	g.codes[string(e.Code)] = c
	g.begin(c.UserID, c.FamilyID, e)
	return true, nil
}

func (g *grants) begin(user, id uuid.UUID, e login.Exchange) {
	g.families[id] = &family{Family: login.Family{ID: id, ClientID: e.ClientID, UserID: user, Scopes: e.Scopes, Audience: e.Audience, ExpiresAt: e.FamilyExpires}}
	if e.Refresh != nil {
		g.tokens[string(e.Refresh)] = &token{family: id, expires: e.RefreshExpires}
	}
}

func (s *Store) end(tenant, id uuid.UUID, e login.Event) {
	if f := s.of(tenant).families[id]; f != nil && !f.ended {
		f.ended = true
		e.Subject = identity.Caller{User: f.UserID}.Subject()
		s.note(tenant, e)
	}
}

// Refresh implements login.Grants.
func (s *Store) Refresh(_ context.Context, tenant identity.TenantID, r login.Rotation) (login.Family, login.Outcome, error) {
	defer s.lock()()
	g, now := s.of(tenant), time.Now()
	t := g.tokens[string(r.Hash)]
	if t == nil || g.families[t.family].ClientID != r.ClientID {
		return login.Family{}, login.Refused, nil
	}
	f, successor := g.families[t.family], g.tokens[string(r.Successor)]
	switch {
	case !s.living(tenant, f) || t.used.IsZero() && t.expires.Before(now):
		return f.Family, login.Refused, nil
	case !t.used.IsZero() && (now.Sub(t.used) >= r.Grace || successor != nil && !successor.used.IsZero()):
		s.end(tenant, f.ID, r.Replayed)
		return f.Family, login.Replayed, nil
	case !f.Narrow(r.Scopes, r.Audience):
		return f.Family, login.TooWide, nil
	case !t.used.IsZero():
		return f.Family, login.Repeated, nil
	}
	t.used = now
	g.tokens[string(r.Successor)] = &token{family: t.family, expires: r.Expires}
	return f.Family, login.Rotated, nil
}

// RefreshToken implements login.Grants.
func (s *Store) RefreshToken(_ context.Context, tenant identity.TenantID, hash []byte) (login.Family, time.Time, error) {
	defer s.lock()()
	g := s.of(tenant)
	t := g.tokens[string(hash)]
	if t == nil || !t.used.IsZero() || t.expires.Before(time.Now()) || !s.living(tenant, g.families[t.family]) {
		return login.Family{}, time.Time{}, notFound()
	}
	return g.families[t.family].Family, t.expires, nil
}

// RevokeRefresh implements login.Grants.
func (s *Store) RevokeRefresh(_ context.Context, tenant identity.TenantID, client string, hash []byte, e login.Event) (bool, error) {
	defer s.lock()()
	g := s.of(tenant)
	t := g.tokens[string(hash)]
	if t == nil || g.families[t.family].ClientID != client {
		return false, nil
	}
	s.end(tenant, t.family, e)
	return true, nil
}

// RevokeFamily implements login.Grants.
func (s *Store) RevokeFamily(_ context.Context, tenant identity.TenantID, id uuid.UUID, e login.Event) error {
	defer s.lock()()
	s.end(tenant, id, e)
	return nil
}

// RevokeToken implements login.Grants.
func (s *Store) RevokeToken(_ context.Context, tenant identity.TenantID, jti string, _ time.Time, e login.Event) error {
	defer s.lock()()
	if g := s.of(tenant); !g.revoked[jti] {
		g.revoked[jti] = true
		s.note(tenant, e)
	}
	return nil
}

// Living implements login.Grants.
func (s *Store) Living(_ context.Context, tenant identity.TenantID, id uuid.UUID, jti string) (bool, error) {
	defer s.lock()()
	g := s.of(tenant)
	f := g.families[id]
	return !g.revoked[jti] && (id == uuid.Nil || f != nil && !f.ended && f.ExpiresAt.After(time.Now()) && s.works(tenant, f.UserID)), nil
}
