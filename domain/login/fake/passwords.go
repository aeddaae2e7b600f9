package fake

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

type link struct {
	login.DueLink
	hash    string
	due     bool
	made    time.Time
	expires time.Time
}

type failures struct {
	n     int
	until time.Time
}

func (s *Store) credential(tenant uuid.UUID, is func(login.Credential) bool) *login.Credential {
	if i := slices.IndexFunc(s.credentials[tenant], is); i >= 0 {
		return &s.credentials[tenant][i]
	}
	return nil
}

func (s *Store) user(tenant, user uuid.UUID) *login.Credential {
	return s.credential(tenant, func(c login.Credential) bool { return c.User == user })
}

// Credential implements login.Passwords.
func (s *Store) Credential(_ context.Context, tenant identity.TenantID, user identity.UserID) (login.Credential, error) {
	defer s.lock()()
	if c := s.user(tenant, user); c != nil {
		return *c, nil
	}
	return login.Credential{}, notFound()
}

// SetPassword implements login.Passwords.
func (s *Store) SetPassword(_ context.Context, tenant identity.TenantID, user identity.UserID, was, hash string, but uuid.UUID, e login.Event) error {
	defer s.lock()()
	c := s.user(tenant, user)
	if c == nil || c.Hash != was {
		return notFound()
	}
	s.set(tenant, c, hash, but, e)
	return nil
}

func (s *Store) set(tenant uuid.UUID, c *login.Credential, hash string, but uuid.UUID, e login.Event) {
	c.Hash = hash
	s.links = slices.DeleteFunc(s.links, func(l *link) bool { return l.Tenant == tenant && l.User == c.User && l.Purpose == login.ResetLink })
	s.endAll(tenant, c.User, but)
	s.note(tenant, e)
}

// Rehash implements login.Passwords.
func (s *Store) Rehash(_ context.Context, tenant identity.TenantID, user identity.UserID, was, hash string) error {
	defer s.lock()()
	if c := s.user(tenant, user); c != nil && c.Hash == was {
		c.Hash = hash
	}
	return nil
}

func (s *Store) ask(tenant uuid.UUID, c *login.Credential, purpose string, id uuid.UUID) bool {
	lately := 0
	for _, l := range s.links {
		if c != nil && l.Tenant == tenant && l.User == c.User && l.Purpose == purpose && time.Since(l.made) < time.Hour {
			lately++
		}
	}
	if c == nil || !c.Enabled || lately >= 3 {
		return false
	}
	s.links = append(s.links, &link{DueLink: login.DueLink{Tenant: tenant, ID: id, User: c.User, Purpose: purpose}, due: true, made: time.Now(), expires: time.Now().Add(login.LinkLife)})
	return true
}

// AskReset implements login.Links.
func (s *Store) AskReset(_ context.Context, tenant identity.TenantID, email string, id uuid.UUID, e login.Event, asked login.Failure) error {
	defer s.lock()()
	s.count(tenant, asked)
	if s.ask(tenant, s.credential(tenant, func(c login.Credential) bool { return c.Email == email }), login.ResetLink, id) {
		s.note(tenant, e)
	}
	return nil
}

// AskVerification implements login.Links.
func (s *Store) AskVerification(_ context.Context, who identity.Caller, id uuid.UUID) error {
	defer s.lock()()
	if done, err := s.done(who); done || err != nil {
		return err
	}
	s.ask(who.Tenant, s.user(who.Tenant, who.User), login.VerificationLink, id)
	s.receipt(who)
	return nil
}

// DueLinks implements login.Links; what it returns stays due until it is mailed.
func (s *Store) DueLinks(context.Context) (due []login.DueLink, err error) {
	defer s.lock()()
	for _, l := range s.links {
		if l.due {
			due = append(due, l.DueLink)
		}
	}
	return due, nil
}

func (s *Store) find(is func(*link) bool) *link {
	if i := slices.IndexFunc(s.links, func(l *link) bool { return is(l) && l.expires.After(time.Now()) }); i >= 0 {
		return s.links[i]
	}
	return nil
}

// Mailing implements login.Links.
func (s *Store) Mailing(_ context.Context, due login.DueLink, hash []byte) (login.Credential, error) {
	defer s.lock()()
	l := s.find(func(l *link) bool { return l.DueLink == due })
	if l == nil || !s.user(due.Tenant, due.User).Enabled {
		return login.Credential{}, notFound()
	}
	l.hash = string(hash)
	return *s.user(due.Tenant, due.User), nil
}

// Mailed implements login.Links.
func (s *Store) Mailed(_ context.Context, due login.DueLink) error {
	defer s.lock()()
	if l := s.find(func(l *link) bool { return l.DueLink == due }); l != nil {
		l.due = false
	}
	return nil
}

func (s *Store) working(tenant uuid.UUID, purpose string, hash []byte) *link {
	return s.find(func(l *link) bool { return l.Tenant == tenant && l.Purpose == purpose && l.hash == string(hash) })
}

// Link implements login.Links.
func (s *Store) Link(_ context.Context, tenant identity.TenantID, purpose string, hash []byte) (login.Credential, error) {
	defer s.lock()()
	if l := s.working(tenant, purpose, hash); l != nil {
		if c := s.user(tenant, l.User); c != nil && c.Enabled {
			return *c, nil
		}
	}
	return login.Credential{}, notFound()
}

// Reset implements login.Links.
func (s *Store) Reset(_ context.Context, tenant identity.TenantID, secret []byte, user identity.UserID, hash string, e login.Event) error {
	defer s.lock()()
	c := s.user(tenant, user)
	if l := s.working(tenant, login.ResetLink, secret); l == nil || l.User != user || c == nil || !c.Enabled {
		return notFound()
	}
	c.EmailVerified = true
	s.set(tenant, c, hash, uuid.Nil, e)
	return nil
}

// Verify implements login.Links.
func (s *Store) Verify(_ context.Context, tenant identity.TenantID, secret []byte, user identity.UserID, e login.Event) error {
	defer s.lock()()
	l := s.working(tenant, login.VerificationLink, secret)
	if l == nil || l.User != user {
		return notFound()
	}
	s.links = slices.DeleteFunc(s.links, func(x *link) bool { return x == l })
	s.user(tenant, user).EmailVerified = true
	s.note(tenant, e)
	return nil
}

// Attempt implements login.Throttle.
func (s *Store) Attempt(_ context.Context, tenant identity.TenantID, email string, keys ...[]byte) (c login.Credential, until time.Time, err error) {
	defer s.lock()()
	if found := s.credential(tenant, func(c login.Credential) bool { return c.Email == email }); found != nil {
		c = *found
	}
	return c, s.blocked(tenant, keys), nil
}

// blocked returns until when one of the keys may not try: zero if all may.
func (s *Store) blocked(tenant uuid.UUID, keys [][]byte) (until time.Time) {
	for _, key := range keys {
		if f := s.failures[tenant.String()+string(key)]; f.until.After(time.Now()) && f.until.After(until) {
			until = f.until
		}
	}
	return until
}

// Failed implements login.Throttle.
func (s *Store) Failed(_ context.Context, tenant identity.TenantID, e login.Event, failed ...login.Failure) error {
	defer s.lock()()
	s.count(tenant, failed...)
	s.note(tenant, e)
	return nil
}

func (s *Store) count(tenant uuid.UUID, failed ...login.Failure) {
	for _, f := range failed {
		k := tenant.String() + string(f.Key)
		n := s.failures[k].n + 1
		s.failures[k] = failures{n, time.Now().Add(f.Delay(n))}
	}
}
