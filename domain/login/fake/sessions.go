package fake

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

type session struct {
	login.Session
	secret string
	used   time.Time
}

// LoggedIn implements login.Sessions.
func (s *Store) LoggedIn(_ context.Context, tenant identity.TenantID, secret []byte, at login.Session, hash string, keys [][]byte, e login.Event) error {
	defer s.lock()()
	if s.blocked(tenant, keys).After(time.Now()) || !slices.ContainsFunc(s.credentials[tenant], func(c login.Credential) bool { return c.User == at.UserID && c.Hash == hash && c.Enabled }) {
		return notFound()
	}
	delete(s.failures, tenant.String()+string(keys[0]))
	for hash, c := range s.of(tenant).codes {
		if at.Replaces != uuid.Nil && c.SessionID == at.Replaces {
			c.SessionID = at.ID
			s.of(tenant).codes[hash] = c
		}
	}
	s.sessions[tenant] = slices.DeleteFunc(s.sessions[tenant], func(was session) bool { return was.ID == at.Replaces })
	at.Replaces = uuid.Nil
	s.sessions[tenant] = append(s.sessions[tenant], session{at, string(secret), at.AuthenticatedAt})
	s.note(tenant, e)
	return nil
}

// Session implements login.Sessions.
func (s *Store) Session(_ context.Context, tenant identity.TenantID, secret []byte) (login.Session, error) {
	defer s.lock()()
	for i, at := range s.sessions[tenant] {
		if at.secret == string(secret) && at.ExpiresAt.After(time.Now()) && slices.ContainsFunc(s.credentials[tenant], func(c login.Credential) bool { return c.User == at.UserID && c.Enabled }) {
			if at.Idle = time.Since(at.used) >= login.SessionIdle; !at.Idle {
				s.sessions[tenant][i].used = time.Now()
			}
			return at.Session, nil
		}
	}
	return login.Session{}, notFound()
}

// Sessions implements login.Sessions.
func (s *Store) Sessions(_ context.Context, who identity.Caller, r page.Request) (page.Result[login.Session], error) {
	defer s.lock()()
	var all []login.Session
	for _, at := range s.sessions[who.Tenant] {
		if at.UserID == who.User && at.ExpiresAt.After(time.Now()) && at.AuthenticatedAt.After(r.After.At) {
			all = append(all, at.Session)
		}
	}
	slices.SortFunc(all, func(a, b login.Session) int { return a.AuthenticatedAt.Compare(b.AuthenticatedAt) })
	return page.Cut(all[:min(len(all), r.Limit+1)], r.Limit, func(s login.Session) page.Key { return page.Key{At: s.AuthenticatedAt, ID: s.ID} }), nil
}

// EndSession implements login.Sessions.
func (s *Store) EndSession(_ context.Context, who identity.Caller, id uuid.UUID, e login.Event) error {
	defer s.lock()()
	if done, err := s.done(who); done || err != nil {
		return err
	}
	tenant, user := who.Tenant, who.User
	i := slices.IndexFunc(s.sessions[tenant], func(at session) bool { return at.ID == id && at.UserID == user })
	if i < 0 {
		return notFound()
	}
	s.sessions[tenant] = slices.Delete(s.sessions[tenant], i, i+1)
	g := s.of(tenant)
	for hash, c := range g.codes {
		if c.SessionID == id {
			if f := g.families[c.FamilyID]; f != nil {
				f.ended = true
			}
			delete(g.codes, hash)
		}
	}
	s.note(tenant, e)
	s.receipt(who)
	return nil
}

// EndExpired implements login.Sessions.
func (s *Store) EndExpired(_ context.Context, tenant identity.TenantID, family uuid.UUID, e login.Event) error {
	defer s.lock()()
	g, of := s.of(tenant), uuid.Nil
	for _, c := range g.codes {
		if c.FamilyID == family {
			of = c.SessionID
		}
	}
	if of == uuid.Nil || slices.ContainsFunc(s.sessions[tenant], func(at session) bool { return at.ID == of && at.ExpiresAt.After(time.Now()) }) {
		return nil
	}
	told := false
	for _, c := range g.codes {
		if f := g.families[c.FamilyID]; c.SessionID == of && f != nil && !f.ended {
			if f.ended = true; !told {
				e.Subject, told = identity.Caller{User: f.UserID}.Subject(), true
				s.note(tenant, e)
			}
		}
	}
	return nil
}

// EndSessions implements login.Sessions.
func (s *Store) EndSessions(_ context.Context, who identity.Caller, but uuid.UUID, e login.Event) error {
	defer s.lock()()
	if done, err := s.done(who); done || err != nil {
		return err
	}
	s.endAll(who.Tenant, who.User, but)
	s.note(who.Tenant, e)
	s.receipt(who)
	return nil
}

// done reports whether this request was done before, under its Idempotency-Key.
func (s *Store) done(who identity.Caller) (bool, error) {
	if who.Request.Once == nil {
		return false, nil
	}
	first, ok := s.receipts[keyOf(who)]
	if ok && first.fingerprint != who.Request.Once.Fingerprint {
		return true, errReused()
	}
	return ok, nil
}

func (s *Store) receipt(who identity.Caller) {
	if once := who.Request.Once; once != nil {
		s.receipts[keyOf(who)] = receipt{fingerprint: once.Fingerprint}
	}
}

func keyOf(who identity.Caller) string {
	return who.Tenant.String() + who.Subject() + who.Request.Once.Key
}

func errReused() error {
	return fault.New(fault.Invalid, "idempotency_key_reused", "this Idempotency-Key was used for another request")
}

// endAll ends all that a person's logins gave.
func (s *Store) endAll(tenant, user, but uuid.UUID) {
	s.sessions[tenant] = slices.DeleteFunc(s.sessions[tenant], func(at session) bool { return at.UserID == user && at.ID != but })
	s.devices = slices.DeleteFunc(s.devices, func(d device) bool { return d.of(tenant, user) })
	g := s.of(tenant)
	for hash, c := range g.codes {
		if c.UserID == user && !c.Used {
			delete(g.codes, hash)
		}
	}
	for _, f := range g.families {
		if f.UserID == user {
			f.ended = true
		}
	}
}
