// Package fake keeps tenants in memory, for tests of what uses them.
package fake

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/tenancy"
)

const again = 15 * time.Second

// Store is a tenancy.Store and its tenancy.Queue. Its zero value is empty and ready.
type Store struct {
	mu            sync.Mutex
	registrations map[uuid.UUID]*registration
	tenants       map[uuid.UUID]*tenancy.Tenant
	users         map[uuid.UUID][]tenancy.User
	invitations   map[uuid.UUID][]*invitation
	receipts      map[string]receipt
}

type registration struct {
	tenancy.Registration
	due      time.Time
	verified bool
	attempts
}

type invitation struct {
	tenancy.Invitation
	due time.Time
	attempts
}

type attempts struct {
	last int64
	by   string
}

func (a *attempts) next(by string) int64 {
	if a.by != by {
		a.last, a.by = a.last+1, by
	}
	return a.last
}

type receipt struct {
	fingerprint string
	body        []byte
}

var (
	_ tenancy.Store = (*Store)(nil)
	_ tenancy.Queue = (*Store)(nil)
)

// lock readies the maps; the caller defers what it returns.
func (s *Store) lock() func() {
	s.mu.Lock()
	if s.tenants == nil {
		s.registrations, s.tenants = map[uuid.UUID]*registration{}, map[uuid.UUID]*tenancy.Tenant{}
		s.users, s.invitations, s.receipts = map[uuid.UUID][]tenancy.User{}, map[uuid.UUID][]*invitation{}, map[string]receipt{}
	}
	return s.mu.Unlock
}

func notFound() error { return fault.New(fault.NotFound, "not_found", "there is no such thing") }

func replay[T any](s *Store, who identity.Caller) (v T, done bool, err error) {
	once := who.Request.Once
	if once == nil {
		return v, false, nil
	}
	r, ok := s.receipts[who.Tenant.String()+who.Subject()+once.Key]
	if ok && r.fingerprint != once.Fingerprint {
		return v, true, fault.New(fault.Invalid, "idempotency_key_reused", "this Idempotency-Key was used for another request")
	}
	if ok {
		err = json.Unmarshal(r.body, &v)
	}
	return v, ok, err
}

func remember[T any](s *Store, who identity.Caller, v T) (T, error) {
	if once := who.Request.Once; once != nil {
		body, err := json.Marshal(v)
		if err != nil {
			return v, err
		}
		s.receipts[who.Tenant.String()+who.Subject()+once.Key] = receipt{once.Fingerprint, body}
	}
	return v, nil
}

// Register implements tenancy.Store.
func (s *Store) Register(_ context.Context, who identity.Caller, r tenancy.Registration) (tenancy.Registration, error) {
	defer s.lock()()
	if first, done, err := replay[tenancy.Registration](s, who); done {
		return first, err
	}
	var asked []time.Time
	for _, x := range s.registrations {
		if x.Email == r.Email && !x.verified {
			asked = append(asked, x.CreatedAt)
		}
		if x.Slug == r.Slug && x.Status != tenancy.StatusExpired && x.Status != tenancy.StatusFailed {
			return r, tenancy.ErrSlugTaken
		}
	}
	if wait := wait(asked, r.CreatedAt); wait > 0 {
		return r, tenancy.ErrTooManyRegistrations(wait)
	}
	s.registrations[r.ID] = &registration{Registration: r, due: r.CreatedAt}
	return remember(s, who, r)
}

// wait returns how long after at there have been too many mails, of which these
// are the times; zero: there have not.
func wait(mails []time.Time, at time.Time) time.Duration {
	mails = slices.DeleteFunc(mails, func(t time.Time) bool { return !t.After(at.Add(-tenancy.MailSpan)) })
	if len(mails) < tenancy.MaxMails {
		return 0
	}
	slices.SortFunc(mails, time.Time.Compare)
	return mails[len(mails)-tenancy.MaxMails].Add(tenancy.MailSpan).Sub(at)
}

// Registration implements tenancy.Store.
func (s *Store) Registration(_ context.Context, id identity.TenantID) (tenancy.Registration, error) {
	defer s.lock()()
	r, ok := s.registrations[id]
	if !ok {
		return tenancy.Registration{}, notFound()
	}
	shown := r.Registration
	shown.Steps = slices.Clone(r.Steps)
	return shown, nil
}

// opened returns the attempts at a link that works.
func (s *Store) opened(l tenancy.Link, at time.Time) (*attempts, error) {
	if i := s.find(l.Tenant, l.Invitation); i != nil {
		return &i.attempts, i.Open(at)
	}
	if r := s.registrations[l.Tenant]; r != nil && l.Invitation == uuid.Nil {
		return &r.attempts, r.Open(at)
	}
	return nil, notFound()
}

// Attempt implements tenancy.Store.
func (s *Store) Attempt(_ context.Context, l tenancy.Link, by string, at time.Time) (int64, error) {
	defer s.lock()()
	a, err := s.opened(l, at)
	if err != nil {
		return 0, err
	}
	return a.next(by), nil
}

// last returns nil if the link works and the attempt is the last at it.
func (s *Store) last(l tenancy.Link, attempt int64, at time.Time) error {
	a, err := s.opened(l, at)
	if err == nil && a.last != attempt {
		err = tenancy.ErrLinkOvertaken
	}
	return err
}

// Verify implements tenancy.Store.
func (s *Store) Verify(_ context.Context, who identity.Caller, attempt int64, at time.Time) (tenancy.Registration, error) {
	defer s.lock()()
	if first, done, err := replay[tenancy.Registration](s, who); done {
		return first, err
	}
	if err := s.last(tenancy.Link{Tenant: who.Tenant}, attempt, at); err != nil {
		return tenancy.Registration{}, err
	}
	r := s.registrations[who.Tenant]
	r.verified, r.due, r.Status = true, at, tenancy.StatusProvisioning
	r.note(tenancy.Progress{Step: tenancy.Verification, State: tenancy.StepDone, At: at})
	return remember(s, who, r.Registration)
}

// Verified implements tenancy.Store.
func (s *Store) Verified(_ context.Context, who identity.Caller) (tenancy.Registration, bool, error) {
	defer s.lock()()
	return replay[tenancy.Registration](s, who)
}

func (r *registration) note(p tenancy.Progress) {
	r.Steps = slices.DeleteFunc(slices.Clone(r.Steps), func(x tenancy.Step) bool { return x.Name == p.Step })
	r.Steps = append(r.Steps, tenancy.Step{Name: p.Step, State: p.State, At: &p.At})
}

// Record implements tenancy.Store.
func (s *Store) Record(_ context.Context, id identity.TenantID, p tenancy.Progress) error {
	defer s.lock()()
	r, ok := s.registrations[id]
	if !ok || r.Status.Final() && !p.Step.AfterEnd() || r.Done(p.Step) && p.State != tenancy.StepUndone {
		return nil
	}
	if r.note(p); p.Status != "" && r.Status == tenancy.StatusPending {
		r.Status = p.Status
	}
	return nil
}

// Expire implements tenancy.Store.
func (s *Store) Expire(_ context.Context, id identity.TenantID) (bool, error) {
	defer s.lock()()
	r, ok := s.registrations[id]
	if !ok || r.verified || r.Status.Final() && r.Status != tenancy.StatusExpired {
		return false, nil
	}
	r.Status, r.due = tenancy.StatusExpired, time.Time{}
	return true, nil
}

// Fail implements tenancy.Store.
func (s *Store) Fail(_ context.Context, id identity.TenantID, f tenancy.Failure) error {
	defer s.lock()()
	if r, ok := s.registrations[id]; ok && !r.Status.Final() {
		r.Status, r.Failure, r.due = tenancy.StatusFailed, &f, time.Time{}
	}
	return nil
}

// Begun implements tenancy.Store.
func (s *Store) Begun(_ context.Context, p tenancy.Pending) error {
	defer s.lock()()
	if r, ok := s.registrations[p.ID]; ok && r.verified == p.Verified && !r.Status.Final() {
		r.due = time.Now().Add(tenancy.Silence)
	}
	return nil
}

// DueRegistrations implements tenancy.Queue.
func (s *Store) DueRegistrations(_ context.Context, at time.Time) (due []tenancy.Pending, err error) {
	defer s.lock()()
	for _, r := range s.registrations {
		if !r.due.IsZero() && !r.due.After(at) {
			r.due = at.Add(again)
			due = append(due, tenancy.Pending{ID: r.ID, Slug: r.Slug, Verified: r.verified})
		}
	}
	return due, nil
}

// AddTenant implements tenancy.Store.
func (s *Store) AddTenant(_ context.Context, t tenancy.Tenant) error {
	defer s.lock()()
	if s.tenants[t.ID] == nil {
		s.tenants[t.ID] = &t
	}
	return nil
}

// AddOwner implements tenancy.Store.
func (s *Store) AddOwner(_ context.Context, tenant identity.TenantID, u tenancy.User) error {
	defer s.lock()()
	if !slices.ContainsFunc(s.users[tenant], func(x tenancy.User) bool { return x.ID == u.ID }) {
		s.users[tenant] = append(s.users[tenant], u)
	}
	return nil
}

// RemoveTenant implements tenancy.Store.
func (s *Store) RemoveTenant(_ context.Context, tenant identity.TenantID) error {
	defer s.lock()()
	if t := s.tenants[tenant]; t != nil && t.Status == tenancy.TenantProvisioning {
		delete(s.tenants, tenant)
		delete(s.users, tenant)
		delete(s.invitations, tenant)
	}
	return nil
}

// RemoveOwner implements tenancy.Store.
func (s *Store) RemoveOwner(_ context.Context, tenant identity.TenantID, user identity.UserID) error {
	defer s.lock()()
	if t := s.tenants[tenant]; t != nil && t.Status == tenancy.TenantProvisioning {
		s.users[tenant] = slices.DeleteFunc(s.users[tenant], func(u tenancy.User) bool { return u.ID == user })
	}
	return nil
}

// Activate implements tenancy.Store.
func (s *Store) Activate(_ context.Context, tenant identity.TenantID, at time.Time) error {
	defer s.lock()()
	if t := s.tenants[tenant]; t != nil {
		t.Status = tenancy.TenantActive
	}
	if r := s.registrations[tenant]; r != nil && r.Status == tenancy.StatusProvisioning {
		r.note(tenancy.Progress{Step: tenancy.Activate, State: tenancy.StepDone, At: at})
		r.Status, r.due = tenancy.StatusActive, time.Time{}
	}
	return nil
}

// Tenant implements tenancy.Store.
func (s *Store) Tenant(_ context.Context, who identity.Caller) (tenancy.Tenant, error) {
	defer s.lock()()
	if t := s.tenants[who.Tenant]; t != nil {
		return *t, nil
	}
	return tenancy.Tenant{}, notFound()
}

// User implements tenancy.Store.
func (s *Store) User(_ context.Context, who identity.Caller, id identity.UserID) (tenancy.User, error) {
	defer s.lock()()
	for _, u := range s.users[who.Tenant] {
		if u.ID == id {
			return u, nil
		}
	}
	return tenancy.User{}, notFound()
}

// SetUserStatus implements tenancy.Store.
func (s *Store) SetUserStatus(_ context.Context, who identity.Caller, id identity.UserID, status string) (tenancy.User, error) {
	defer s.lock()()
	for i, u := range s.users[who.Tenant] {
		if u.ID == id {
			u.Status = status
			s.users[who.Tenant][i] = u
			return remember(s, who, u)
		}
	}
	return tenancy.User{}, notFound()
}

// SetTenantStatus implements tenancy.Store.
func (s *Store) SetTenantStatus(_ context.Context, tenant identity.TenantID, status string) error {
	defer s.lock()()
	t := s.tenants[tenant]
	if t == nil || t.Status == tenancy.TenantProvisioning {
		return tenancy.ErrNotActive
	}
	t.Status = status
	return nil
}

// Users implements tenancy.Store.
func (s *Store) Users(_ context.Context, who identity.Caller, r page.Request) (page.Result[tenancy.User], error) {
	defer s.lock()()
	return list(s.users[who.Tenant], r, func(u tenancy.User) page.Key { return page.Key{At: u.CreatedAt, ID: u.ID} }), nil
}

func list[T any](all []T, r page.Request, key func(T) page.Key) page.Result[T] {
	order := func(a, b page.Key) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return slices.Compare(a.ID[:], b.ID[:])
	}
	all = slices.SortedFunc(slices.Values(all), func(a, b T) int { return order(key(a), key(b)) })
	if r.After != (page.Key{}) {
		all = slices.DeleteFunc(all, func(x T) bool { return order(key(x), r.After) <= 0 })
	}
	return page.Cut(all[:min(len(all), r.Limit+1)], r.Limit, key)
}
