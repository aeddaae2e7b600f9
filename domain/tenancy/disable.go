package tenancy

import (
	"context"
	"errors"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Disable ends a person's sessions and tokens and lets them not log in. The
// credential comes first: should the rest fail, the person is locked out and
// the request can be repeated. It returns fault.Forbidden when the person may
// shape the tenant and the caller may not, and fault.Conflict when the caller
// may too, or is the person: a role that shapes the tenant is taken away first,
// which authz refuses for the last owner who can log in.
func (s *Service) Disable(ctx context.Context, who identity.Caller, id identity.UserID) (User, error) {
	u, strong, err := s.concerned(ctx, who, id)
	switch {
	case err != nil:
		return u, err
	case who.User == id:
		return u, fault.New(fault.Conflict, "cannot_disable_yourself", "nobody disables themselves; let somebody else do it")
	case strong:
		return u, errShapesTenant()
	}
	if err := s.Credentials.DisableCredential(ctx, who.Tenant, id, who.Subject()); err != nil {
		return u, err
	}
	// Who was made an owner meanwhile may be the only one left: authz let the last other
	// go as long as this one could log in.
	if strong, err = s.Roles.Holds(ctx, who.Tenant, id, TenantWrite); err != nil {
		return u, err
	}
	if strong {
		return u, errors.Join(errShapesTenant(), s.settle(context.WithoutCancel(ctx), who.Tenant, id, who.Subject()))
	}
	if u, err = s.Store.SetUserStatus(ctx, who, id, UserDisabled); err != nil {
		return u, err
	}
	return u, s.settle(ctx, who.Tenant, id, who.Subject())
}

func errShapesTenant() error {
	return fault.New(fault.Conflict, "shapes_tenant", "the person holds "+string(TenantWrite)+"; take the role away first that holds it")
}

// Enable lets a person log in again.
func (s *Service) Enable(ctx context.Context, who identity.Caller, id identity.UserID) (User, error) {
	u, _, err := s.concerned(ctx, who, id)
	if err != nil {
		return u, err
	}
	if u, err = s.Store.SetUserStatus(ctx, who, id, UserActive); err != nil {
		return u, err
	}
	return u, s.settle(ctx, who.Tenant, id, who.Subject())
}

// settle opens or closes a person's login as their status says, on behalf of
// the subject by, until it has said the same before and after: whoever changes
// it at the same time settles as well, and who comes last sees the last of it.
func (s *Service) settle(ctx context.Context, tenant identity.TenantID, id identity.UserID, by string) error {
	for settled := ""; ; {
		u, err := s.Store.User(ctx, identity.Caller{Tenant: tenant}, id)
		if err != nil || u.Status == settled {
			return err
		}
		if settled = u.Status; settled == UserActive {
			err = s.Credentials.EnableCredential(ctx, tenant, id)
		} else {
			err = s.Credentials.DisableCredential(ctx, tenant, id, by)
		}
		if err != nil {
			return err
		}
	}
}

// concerned returns the person, if the caller may change what becomes of them,
// and whether the person may shape the tenant.
func (s *Service) concerned(ctx context.Context, who identity.Caller, id identity.UserID) (u User, strong bool, err error) {
	if err := s.Gate.Allow(ctx, who, UsersWrite); err != nil {
		return u, false, err
	}
	if u, err = s.Store.User(ctx, who, id); err != nil {
		return u, false, err
	}
	strong, err = s.Roles.Holds(ctx, who.Tenant, id, TenantWrite)
	if err != nil || !strong {
		return u, false, err
	}
	if err = s.Gate.Allow(ctx, who, TenantWrite); fault.Is(err, fault.Forbidden) {
		err = fault.New(fault.Forbidden, "stronger_than_you", "this concerns "+string(TenantWrite)+", which you do not hold")
	}
	return u, true, err
}

// Suspend ends the tokens of everybody in a tenant and gives them no others. It
// is for the platform's operators. It returns ErrNotActive, and does nothing,
// while the tenant is being set up.
func (s *Service) Suspend(ctx context.Context, tenant identity.TenantID) error {
	t, err := s.Store.Tenant(ctx, identity.Caller{Tenant: tenant})
	if err == nil && t.Status == TenantProvisioning {
		err = ErrNotActive
	}
	if err != nil {
		return err
	}
	if err := s.Credentials.SuspendTenant(ctx, tenant); err != nil {
		return err
	}
	return s.Store.SetTenantStatus(ctx, tenant, TenantSuspended)
}

// Resume opens a suspended tenant again.
func (s *Service) Resume(ctx context.Context, tenant identity.TenantID) error {
	if err := s.Store.SetTenantStatus(ctx, tenant, TenantActive); err != nil {
		return err
	}
	return s.Credentials.ResumeTenant(ctx, tenant)
}
