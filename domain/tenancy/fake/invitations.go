package fake

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/tenancy"
)

func taken() error {
	return fault.New(fault.Conflict, "email_taken", "a person, or an open invitation, has this address")
}

// Invite implements tenancy.Store.
func (s *Store) Invite(_ context.Context, who identity.Caller, i tenancy.Invitation) (tenancy.Invitation, error) {
	defer s.lock()()
	if first, done, err := replay[tenancy.Invitation](s, who); done {
		return first, err
	}
	var sent []time.Time
	for _, x := range s.invitations[who.Tenant] {
		if x.Email == i.Email {
			sent = append(sent, x.CreatedAt)
		}
	}
	if wait := wait(sent, i.CreatedAt); wait > 0 {
		return i, tenancy.ErrTooManyInvitations(wait)
	}
	open := slices.ContainsFunc(s.invitations[who.Tenant], func(x *invitation) bool {
		return x.Email == i.Email && x.Status == tenancy.InvitationPending && x.ExpiresAt.After(i.CreatedAt)
	})
	if open || slices.ContainsFunc(s.users[who.Tenant], func(u tenancy.User) bool { return u.Email == i.Email }) {
		return i, taken()
	}
	s.invitations[who.Tenant] = append(s.invitations[who.Tenant], &invitation{Invitation: i, due: i.CreatedAt})
	return remember(s, who, i)
}

func (s *Store) find(tenant, id uuid.UUID) *invitation {
	for _, i := range s.invitations[tenant] {
		if i.ID == id {
			return i
		}
	}
	return nil
}

// Invitation implements tenancy.Store.
func (s *Store) Invitation(_ context.Context, who identity.Caller, id uuid.UUID) (tenancy.Invitation, error) {
	defer s.lock()()
	if i := s.find(who.Tenant, id); i != nil {
		return i.Invitation, nil
	}
	return tenancy.Invitation{}, notFound()
}

// Invitations implements tenancy.Store.
func (s *Store) Invitations(_ context.Context, who identity.Caller, r page.Request) (page.Result[tenancy.Invitation], error) {
	defer s.lock()()
	var all []tenancy.Invitation
	for _, i := range s.invitations[who.Tenant] {
		all = append(all, i.Invitation)
	}
	return list(all, r, func(i tenancy.Invitation) page.Key { return page.Key{At: i.CreatedAt, ID: i.ID} }), nil
}

// Withdraw implements tenancy.Store.
func (s *Store) Withdraw(_ context.Context, who identity.Caller, id uuid.UUID, at time.Time) error {
	defer s.lock()()
	if _, done, err := replay[bool](s, who); done {
		return err
	}
	i := s.find(who.Tenant, id)
	switch {
	case i == nil:
		return notFound()
	case i.Status == tenancy.InvitationAccepted:
		return tenancy.ErrAccepted
	}
	i.Status, i.due = tenancy.InvitationWithdrawn, at.Add(tenancy.Grace)
	_, err := remember(s, who, true)
	return err
}

// Accept implements tenancy.Store.
func (s *Store) Accept(_ context.Context, who identity.Caller, attempt int64, u tenancy.User) (tenancy.User, error) {
	defer s.lock()()
	if first, done, err := replay[tenancy.User](s, who); done {
		return first, err
	}
	if err := s.last(tenancy.Link{Tenant: who.Tenant, Invitation: u.ID}, attempt, u.CreatedAt); err != nil {
		return u, err
	}
	if slices.ContainsFunc(s.users[who.Tenant], func(x tenancy.User) bool { return x.Email == u.Email }) {
		return u, taken()
	}
	i := s.find(who.Tenant, u.ID)
	i.Status, i.due = tenancy.InvitationAccepted, u.CreatedAt
	s.users[who.Tenant] = append(s.users[who.Tenant], u)
	return remember(s, who, u)
}

// Accepted implements tenancy.Store.
func (s *Store) Accepted(_ context.Context, who identity.Caller) (tenancy.User, bool, error) {
	defer s.lock()()
	return replay[tenancy.User](s, who)
}

// Settled implements tenancy.Store.
func (s *Store) Settled(_ context.Context, tenant identity.TenantID, id uuid.UUID, status string) error {
	defer s.lock()()
	i := s.find(tenant, id)
	switch {
	case i == nil:
	case i.Status == tenancy.InvitationPending && status == i.Status:
		i.due = i.ExpiresAt.Add(tenancy.Grace)
	case i.Status == status, i.Status == tenancy.InvitationPending && status == tenancy.InvitationExpired:
		i.due = time.Time{}
	}
	return nil
}

// DueInvitations implements tenancy.Queue.
func (s *Store) DueInvitations(_ context.Context, at time.Time) (due []tenancy.Addressed, err error) {
	defer s.lock()()
	for tenant, all := range s.invitations {
		for _, i := range all {
			if !i.due.IsZero() && !i.due.After(at) {
				i.due = at.Add(again)
				due = append(due, tenancy.Addressed{TenantID: tenant, Organisation: s.tenants[tenant].Name, Invitation: i.Invitation})
			}
		}
	}
	return due, nil
}
