package tenancy

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Service holds the use cases that people ask for.
type Service struct {
	Store       Store
	Gate        access.Gate
	Roles       Roles
	Credentials Credentials
	Onboarding  Onboarding
	Links       Links
	// Redirects are the redirect URIs of a tenant's first OAuth client where a
	// registration names none.
	Redirects []string
}

// registrations is the namespace of the ids of registrations that an
// Idempotency-Key makes: before there is a tenant, the key alone names one.
var registrations = uuid.MustParse("0199a1b2-c3d4-7e5f-8a6b-726567697374")

// Register notes a company's wish and begins its onboarding. When that cannot
// begin now, a reconciler begins it later.
func (s *Service) Register(ctx context.Context, who identity.Caller, d RegistrationDraft) (Registration, error) {
	id := newID()
	if who.Request.Once != nil {
		id = uuid.NewSHA1(registrations, []byte(who.Request.Once.Key))
	}
	r, err := d.registration(id, now(), s.Redirects)
	if err != nil {
		return r, err
	}
	who.Tenant = id
	if r, err = s.Store.Register(ctx, who, r); err != nil {
		return r, err
	}
	s.begin(ctx, r.ID, r.Slug, false)
	return r.Shown(), nil
}

// begin need not succeed: the registration stays due until it has.
func (s *Service) begin(ctx context.Context, id identity.TenantID, slug string, verified bool) {
	p := Pending{ID: id, Slug: slug, Verified: verified}
	if s.Onboarding.Begin(ctx, p) == nil {
		_ = s.Store.Begun(ctx, p)
	}
}

// Registration tells how far a registration is. It names no person.
func (s *Service) Registration(ctx context.Context, id identity.TenantID) (Registration, error) {
	r, err := s.Store.Registration(ctx, id)
	return r.Shown(), err
}

// Verify takes the owner's password through the mailed link. The password goes
// to the auth service and nowhere else. As to which one counts, see Accept.
func (s *Service) Verify(ctx context.Context, who identity.Caller, token, password string) (Registration, error) {
	link, err := s.Links.Read(token)
	if err == nil && link.Invitation != uuid.Nil {
		err = ErrLinkUnknown
	}
	if err != nil {
		return Registration{}, err
	}
	who.Tenant = link.Tenant
	r, err := once(ctx, s, who, token, s.Store.Verified, func() (Registration, error) { return s.verify(ctx, who, link, password) })
	return r.Shown(), err
}

func (s *Service) verify(ctx context.Context, who identity.Caller, link Link, password string) (Registration, error) {
	r, err := s.Store.Registration(ctx, link.Tenant)
	if err == nil {
		err = r.Open(now())
	}
	if err != nil {
		return r, forgotten(err)
	}
	n, err := s.Store.Attempt(ctx, link, attempter(who), now())
	if err != nil {
		return r, err
	}
	err = s.Credentials.PutCredential(ctx, r.ID, Credential{User: r.OwnerID, Email: r.Email, Name: r.OwnerName, Organisation: r.Organisation, Password: password, Attempt: n})
	if err != nil {
		return r, err
	}
	if r, err = s.Store.Verify(ctx, who, n, now()); err != nil {
		return r, err
	}
	s.begin(ctx, r.ID, r.Slug, true)
	return r, nil
}

// once returns what the same request was answered first, before do or, where do
// fails, meanwhile; else what do returns. A request that was overtaken may come again
// after what overtook it: it waits until that has used the link, or long enough.
func once[T any](ctx context.Context, s *Service, who identity.Caller, token string, first func(context.Context, identity.Caller) (T, bool, error), do func() (T, error)) (T, error) {
	if v, done, err := first(ctx, who); done || err != nil {
		return v, err
	}
	v, err := do()
	for end := now().Add(overtaking); err != nil; {
		if v, done, failed := first(ctx, who); done || failed != nil {
			return v, failed
		}
		if who.Request.Once == nil || !errors.Is(err, ErrLinkOvertaken) || ctx.Err() != nil || now().After(end) {
			break
		}
		time.Sleep(overtaking / 20)
		if _, used := s.Open(ctx, who, token); used != nil {
			err = used
		}
	}
	return v, err
}

// overtaking is how long an attempt at a link may take while others are made.
const overtaking = 2 * time.Second

// Opened is what the page behind a mailed link may show before it is used.
type Opened struct {
	Link
	Email, Name string
}

// Open returns whom a mailed link was sent to. It returns ErrLinkUnknown,
// ErrLinkUsed or ErrLinkExpired where the link does not work.
func (s *Service) Open(ctx context.Context, who identity.Caller, token string) (Opened, error) {
	link, err := s.Links.Read(token)
	if err != nil {
		return Opened{}, err
	}
	o := Opened{Link: link}
	who.Tenant = link.Tenant
	if link.Invitation == uuid.Nil {
		var r Registration
		if r, err = s.Store.Registration(ctx, link.Tenant); err == nil {
			o.Email, o.Name, err = r.Email, r.OwnerName, r.Open(now())
		}
	} else {
		var i Invitation
		if i, err = s.Store.Invitation(ctx, who, link.Invitation); err == nil {
			o.Email, o.Name, err = i.Email, i.Name, i.Open(now())
		}
	}
	return o, forgotten(err)
}

// forgotten is err, of what a link named that is kept no more: ErrLinkUnknown.
func forgotten(err error) error {
	if fault.Is(err, fault.NotFound) {
		return ErrLinkUnknown
	}
	return err
}

// Tenant returns the caller's own.
func (s *Service) Tenant(ctx context.Context, who identity.Caller) (Tenant, error) {
	if err := s.Gate.Allow(ctx, who, TenantRead); err != nil {
		return Tenant{}, err
	}
	return s.Store.Tenant(ctx, who)
}

// Me returns the person who asks. It returns fault.NotFound when a client asks
// for itself.
func (s *Service) Me(ctx context.Context, who identity.Caller) (User, error) {
	if who.User == uuid.Nil {
		return User{}, fault.New(fault.NotFound, "not_found", "a client that acts for itself is no person")
	}
	return s.Store.User(ctx, who, who.User)
}

// User returns a person of the caller's tenant, or fault.NotFound.
func (s *Service) User(ctx context.Context, who identity.Caller, id identity.UserID) (User, error) {
	if err := s.Gate.Allow(ctx, who, UsersRead); err != nil {
		return User{}, err
	}
	return s.Store.User(ctx, who, id)
}

// Users lists the people of the caller's tenant.
func (s *Service) Users(ctx context.Context, who identity.Caller, r page.Request) (page.Result[User], error) {
	if err := s.Gate.Allow(ctx, who, UsersRead); err != nil {
		return page.Result[User]{}, err
	}
	return s.Store.Users(ctx, who, r)
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
