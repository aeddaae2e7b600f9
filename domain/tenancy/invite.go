package tenancy

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Invite asks a person to join with a role that holds nothing the inviter
// lacks. The mail is sent soon after. It returns fault.Invalid, pointing at
// /role, when the tenant has no such role.
func (s *Service) Invite(ctx context.Context, who identity.Caller, d InvitationDraft) (Invitation, error) {
	if err := s.Gate.Allow(ctx, who, UsersInvite); err != nil {
		return Invitation{}, err
	}
	i, err := d.invitation(who, now())
	if err != nil {
		return i, err
	}
	i.RoleID, err = s.Roles.Givable(ctx, who.Tenant, access.SubjectOf(who), i.Role)
	if fault.Is(err, fault.NotFound) {
		var c fault.Check
		c.That(false, "/role", "unknown_role", "the tenant has no such role")
		return i, c.Err()
	}
	if err != nil {
		return i, err
	}
	return s.Store.Invite(ctx, who, i)
}

// Invitation returns one of the caller's tenant, or fault.NotFound.
func (s *Service) Invitation(ctx context.Context, who identity.Caller, id uuid.UUID) (Invitation, error) {
	if err := s.Gate.Allow(ctx, who, UsersRead); err != nil {
		return Invitation{}, err
	}
	i, err := s.Store.Invitation(ctx, who, id)
	return i.As(now()), err
}

// Invitations lists those of the caller's tenant.
func (s *Service) Invitations(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Invitation], error) {
	if err := s.Gate.Allow(ctx, who, UsersRead); err != nil {
		return page.Result[Invitation]{}, err
	}
	got, err := s.Store.Invitations(ctx, who, r)
	for n, i := range got.Items {
		got.Items[n] = i.As(now())
	}
	return got, err
}

// Withdraw ends an invitation: its link is unknown from now on. Again it changes
// nothing. It returns fault.Conflict when the person has accepted, and
// fault.Forbidden when somebody else invited with a role that the caller may not give.
func (s *Service) Withdraw(ctx context.Context, who identity.Caller, id uuid.UUID) error {
	if err := s.Gate.Allow(ctx, who, UsersInvite); err != nil {
		return err
	}
	i, err := s.Store.Invitation(ctx, who, id)
	if err == nil && i.InvitedBy != who.Subject() {
		if _, err = s.Roles.Givable(ctx, who.Tenant, access.SubjectOf(who), i.Role); fault.Is(err, fault.NotFound) {
			err = nil // the role is gone
		}
	}
	if err != nil {
		return err
	}
	return s.Store.Withdraw(ctx, who, id, now())
}

// backed returns nil if who invited may still give the role, else ErrLinkVoid: an
// invitation outlives no right of its inviter. What a client that was disabled has
// invited is withdrawn by hand: authz, which knows its roles, does not know that.
func (s *Service) backed(ctx context.Context, who identity.Caller, i Invitation) error {
	kind, id, _ := strings.Cut(i.InvitedBy, ":")
	by, err := access.ParseSubject(kind, id)
	if err != nil {
		return err
	}
	if by.User != uuid.Nil {
		u, err := s.Store.User(ctx, who, by.User)
		if err != nil {
			return err
		}
		if u.Status != UserActive {
			return ErrLinkVoid
		}
	}
	role, err := s.Roles.Givable(ctx, who.Tenant, by, i.Role)
	if fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound) || err == nil && i.RoleID != uuid.Nil && role != i.RoleID { // another of its name
		return ErrLinkVoid
	}
	return err
}

// Accept makes the invited person a user, through the mailed link. The
// credential comes first and stays closed, so that a person who is a user can
// always be let in by Grant, whatever crashed in between.
//
// Of several uses at once, the password of the one that is accepted counts:
// each is an attempt with a number, auth keeps the password of the highest that
// has come to it, the store accepts the last alone, and then gives out no other.
// So the attempt that is accepted was kept, and none replaces it.
func (s *Service) Accept(ctx context.Context, who identity.Caller, token, name, password string) (User, error) {
	link, err := s.Links.Read(token)
	if err == nil && link.Invitation == uuid.Nil {
		err = ErrLinkUnknown
	}
	if err != nil {
		return User{}, err
	}
	who.Tenant = link.Tenant
	return once(ctx, s, who, token, s.Store.Accepted, func() (User, error) { return s.accept(ctx, who, link, name, password) })
}

func (s *Service) accept(ctx context.Context, who identity.Caller, link Link, name, password string) (User, error) {
	i, err := s.Store.Invitation(ctx, who, link.Invitation)
	if err == nil {
		err = i.Open(now())
	}
	if err != nil {
		return User{}, forgotten(err)
	}
	if err := s.backed(ctx, who, i); err != nil {
		return User{}, err
	}
	u, err := i.user(name)
	if err != nil {
		return u, err
	}
	t, err := s.Store.Tenant(ctx, who)
	if err != nil {
		return u, err
	}
	n, err := s.Store.Attempt(ctx, link, attempter(who), now())
	if err != nil {
		return u, err
	}
	if err := s.Credentials.PutCredential(ctx, link.Tenant, Credential{User: u.ID, Email: u.Email, Name: u.Name, Organisation: t.Name, Password: password, Attempt: n}); err != nil {
		return u, err
	}
	if u, err = s.Store.Accept(ctx, who, n, u); err != nil {
		return u, err
	}
	i.Status = InvitationAccepted
	_ = s.Grant(ctx, Addressed{TenantID: link.Tenant, Invitation: i}) // else the reconciler does
	return u, nil
}

func (i Invitation) user(name string) (User, error) {
	if name == "" {
		name = i.Name
	}
	u := User{ID: i.ID, Email: i.Email, Name: strings.TrimSpace(name), Status: UserActive, CreatedAt: now()}
	var c fault.Check
	c.That(u.Name != "", "/name", "required", "a person has a name, which the inviter did not write")
	checkName(&c, u.Name, 0, "/name")
	return u, c.Err()
}

// Grant gives a person who accepted the role, and lets them log in unless they
// were disabled since; again it changes nothing. Where the role is gone, it
// lets them in without one, since an administrator can give another, and
// returns fault.NotFound.
func (s *Service) Grant(ctx context.Context, a Addressed) error {
	gone := s.Roles.PutAssignment(ctx, a.TenantID, a.ID, a.Role)
	if gone != nil && !fault.Is(gone, fault.NotFound) {
		return gone
	}
	if err := s.settle(ctx, a.TenantID, a.ID, ""); err != nil {
		return err
	}
	return errors.Join(gone, s.Store.Settled(ctx, a.TenantID, a.ID, InvitationAccepted))
}
