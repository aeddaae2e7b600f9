package onboarding

import (
	"context"
	"time"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/workflows/temporal"
)

// Activities are the steps, on the ports of the domain. Each can be repeated:
// an attempt whose answer was lost changes nothing when it is made again.
type Activities struct {
	Store       tenancy.RegistrationStore
	Roles       tenancy.Roles
	Credentials tenancy.Credentials
	Clients     tenancy.Clients
	Mailer      tenancy.Mailer
	Letters     tenancy.Letters
}

var a *Activities // names the methods in the workflow

// SendVerification mails the link, unless it was opened already.
func (a *Activities) SendVerification(ctx context.Context, in Input) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err != nil || r.Done(tenancy.SendVerification) || r.Status == tenancy.StatusProvisioning {
		return err
	}
	return a.step(ctx, in, tenancy.SendVerification, tenancy.StatusAwaiting, func() error {
		return a.Mailer.Send(ctx, a.Letters.Verification(r))
	})
}

// Expire ends a registration that nobody verified. It returns false if
// somebody did after all.
func (a *Activities) Expire(ctx context.Context, in Input) (bool, error) {
	return a.Store.Expire(ctx, in.TenantID, time.Now())
}

// CreateTenant makes the tenant, closed as yet.
func (a *Activities) CreateTenant(ctx context.Context, in Input) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err != nil {
		return err
	}
	return a.step(ctx, in, tenancy.CreateTenant, "", func() error {
		return a.Store.AddTenant(ctx, tenancy.Tenant{ID: r.ID, Slug: r.Slug, Name: r.Organisation, Status: tenancy.TenantProvisioning, CreatedAt: time.Now()})
	})
}

// RemoveTenant undoes CreateTenant.
func (a *Activities) RemoveTenant(ctx context.Context, in Input) error {
	return a.undone(ctx, in, tenancy.CreateTenant, a.Store.RemoveTenant(ctx, in.TenantID))
}

// SeedRoles gives the tenant its first policy.
func (a *Activities) SeedRoles(ctx context.Context, in Input) error {
	return a.step(ctx, in, tenancy.SeedRoles, "", func() error { return a.Roles.Seed(ctx, in.TenantID) })
}

// UnseedRoles undoes SeedRoles.
func (a *Activities) UnseedRoles(ctx context.Context, in Input) error {
	return a.undone(ctx, in, tenancy.SeedRoles, a.Roles.Unseed(ctx, in.TenantID))
}

// CreateOwner makes the first person, who is owner.
func (a *Activities) CreateOwner(ctx context.Context, in Input) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err != nil {
		return err
	}
	return a.step(ctx, in, tenancy.CreateOwner, "", func() error {
		u := tenancy.User{ID: r.OwnerID, Email: r.Email, Name: r.OwnerName, Status: tenancy.UserActive, CreatedAt: time.Now()}
		if err := a.Store.AddOwner(ctx, in.TenantID, u); err != nil {
			return err
		}
		return a.Roles.PutAssignment(ctx, in.TenantID, r.OwnerID, "owner")
	})
}

// RemoveOwner undoes CreateOwner; the assignment goes with the policy.
func (a *Activities) RemoveOwner(ctx context.Context, in Input) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err == nil {
		err = a.Store.RemoveOwner(ctx, in.TenantID, r.OwnerID)
	}
	return a.undone(ctx, in, tenancy.CreateOwner, err)
}

// EnableCredential lets the owner log in with the password chosen at verification.
func (a *Activities) EnableCredential(ctx context.Context, in Input) error {
	return a.withOwner(ctx, in, func(owner identity.UserID) error {
		return a.step(ctx, in, tenancy.EnableCredential, "", func() error { return a.Credentials.EnableCredential(ctx, in.TenantID, owner) })
	})
}

// DeleteCredential undoes EnableCredential and the choice of a password.
func (a *Activities) DeleteCredential(ctx context.Context, in Input) error {
	return a.withOwner(ctx, in, func(owner identity.UserID) error {
		return a.undone(ctx, in, tenancy.EnableCredential, a.Credentials.DeleteCredential(ctx, in.TenantID, owner))
	})
}

// CreateClient makes the tenant's first OAuth client.
func (a *Activities) CreateClient(ctx context.Context, in Input) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err != nil {
		return err
	}
	return a.step(ctx, in, tenancy.CreateClient, "", func() error {
		return a.Clients.PutClient(ctx, in.TenantID, tenancy.Client{ID: r.FirstClient, Name: r.Organisation, RedirectURIs: r.RedirectURIs})
	})
}

// DeleteClient undoes CreateClient.
func (a *Activities) DeleteClient(ctx context.Context, in Input) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err == nil {
		err = a.Clients.DeleteClient(ctx, in.TenantID, r.FirstClient)
	}
	return a.undone(ctx, in, tenancy.CreateClient, err)
}

// Activate opens the tenant.
func (a *Activities) Activate(ctx context.Context, in Input) error {
	return a.Store.Activate(ctx, in.TenantID, time.Now())
}

// SendWelcome tells the owner.
func (a *Activities) SendWelcome(ctx context.Context, in Input) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err != nil || r.Done(tenancy.SendWelcome) {
		return err
	}
	return a.step(ctx, in, tenancy.SendWelcome, "", func() error { return a.Mailer.Send(ctx, a.Letters.Welcome(r)) })
}

// Fail ends the registration and says why.
func (a *Activities) Fail(ctx context.Context, in Input, f tenancy.Failure) error {
	return a.Store.Fail(ctx, in.TenantID, f, time.Now())
}

// step notes that a step runs, does it, and notes that it is done.
func (a *Activities) step(ctx context.Context, in Input, name tenancy.StepName, then tenancy.Status, do func() error) error {
	if err := a.record(ctx, in, name, tenancy.StepRunning, ""); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return a.record(ctx, in, name, tenancy.StepDone, then)
}

func (a *Activities) undone(ctx context.Context, in Input, name tenancy.StepName, err error) error {
	if err != nil {
		return err
	}
	return a.record(ctx, in, name, tenancy.StepUndone, "")
}

func (a *Activities) record(ctx context.Context, in Input, name tenancy.StepName, s tenancy.State, then tenancy.Status) error {
	return a.Store.Record(ctx, in.TenantID, tenancy.Progress{Step: name, State: s, Status: then, At: time.Now()})
}

func (a *Activities) withOwner(ctx context.Context, in Input, do func(identity.UserID) error) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err != nil {
		return err
	}
	return do(r.OwnerID)
}

// failureOf is what people are told of an error.
func failureOf(err error) tenancy.Failure {
	f := temporal.Fault(err)
	return tenancy.Failure{Code: f.Code, Message: f.Message}
}
