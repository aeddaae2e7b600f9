package onboarding

import (
	"context"
	"time"

	"bailiwick.dev/domain/fault"
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

// SendVerification mails the link, unless it was mailed or opened already.
func (a *Activities) SendVerification(ctx context.Context, in Input) error {
	return a.step(ctx, in, tenancy.SendVerification, tenancy.StatusAwaiting, func(r tenancy.Registration) error {
		if r.Done(tenancy.SendVerification) || r.Status == tenancy.StatusProvisioning {
			return nil
		}
		return a.Mailer.Send(ctx, a.Letters.Verification(r))
	})
}

// Expire ends a registration that nobody verified. It returns false if
// somebody did after all.
func (a *Activities) Expire(ctx context.Context, in Input) (bool, error) {
	return a.Store.Expire(ctx, in.TenantID)
}

// CreateTenant makes the tenant, closed as yet.
func (a *Activities) CreateTenant(ctx context.Context, in Input) error {
	return a.step(ctx, in, tenancy.CreateTenant, "", func(r tenancy.Registration) error {
		return a.Store.AddTenant(ctx, tenancy.Tenant{ID: r.ID, Slug: r.Slug, Name: r.Organisation, Status: tenancy.TenantProvisioning, CreatedAt: time.Now()})
	})
}

// RemoveTenant undoes CreateTenant.
func (a *Activities) RemoveTenant(ctx context.Context, in Input) error {
	return a.undo(ctx, in, tenancy.CreateTenant, func(r tenancy.Registration) error { return a.Store.RemoveTenant(ctx, r.ID) })
}

// SeedRoles gives the tenant its first policy.
func (a *Activities) SeedRoles(ctx context.Context, in Input) error {
	return a.step(ctx, in, tenancy.SeedRoles, "", func(r tenancy.Registration) error { return a.Roles.Seed(ctx, r.ID) })
}

// UnseedRoles undoes SeedRoles.
func (a *Activities) UnseedRoles(ctx context.Context, in Input) error {
	return a.undo(ctx, in, tenancy.SeedRoles, func(r tenancy.Registration) error { return a.Roles.Unseed(ctx, r.ID) })
}

// CreateOwner makes the first person, who is owner.
func (a *Activities) CreateOwner(ctx context.Context, in Input) error {
	return a.step(ctx, in, tenancy.CreateOwner, "", func(r tenancy.Registration) error {
		u := tenancy.User{ID: r.OwnerID, Email: r.Email, Name: r.OwnerName, Status: tenancy.UserActive, CreatedAt: time.Now()}
		if err := a.Store.AddOwner(ctx, r.ID, u); err != nil {
			return err
		}
		return a.Roles.PutAssignment(ctx, r.ID, r.OwnerID, "owner")
	})
}

// RemoveOwner undoes CreateOwner; the assignment goes with the policy.
func (a *Activities) RemoveOwner(ctx context.Context, in Input) error {
	return a.undo(ctx, in, tenancy.CreateOwner, func(r tenancy.Registration) error { return a.Store.RemoveOwner(ctx, r.ID, r.OwnerID) })
}

// EnableCredential lets the owner log in with the password chosen at verification.
func (a *Activities) EnableCredential(ctx context.Context, in Input) error {
	return a.step(ctx, in, tenancy.EnableCredential, "", func(r tenancy.Registration) error {
		return a.Credentials.EnableCredential(ctx, r.ID, r.OwnerID)
	})
}

// DeleteCredential undoes EnableCredential and the choice of a password.
func (a *Activities) DeleteCredential(ctx context.Context, in Input) error {
	return a.undo(ctx, in, tenancy.EnableCredential, func(r tenancy.Registration) error {
		return a.Credentials.DeleteCredential(ctx, r.ID, r.OwnerID)
	})
}

// CreateClient makes the tenant's first OAuth client.
func (a *Activities) CreateClient(ctx context.Context, in Input) error {
	return a.step(ctx, in, tenancy.CreateClient, "", func(r tenancy.Registration) error {
		return a.Clients.PutClient(ctx, r.ID, tenancy.Client{ID: r.FirstClient, Name: r.Organisation, RedirectURIs: r.RedirectURIs})
	})
}

// DeleteClient undoes CreateClient.
func (a *Activities) DeleteClient(ctx context.Context, in Input) error {
	return a.undo(ctx, in, tenancy.CreateClient, func(r tenancy.Registration) error { return a.Clients.DeleteClient(ctx, r.ID, r.FirstClient) })
}

// Activate opens the tenant.
func (a *Activities) Activate(ctx context.Context, in Input) error {
	return a.Store.Activate(ctx, in.TenantID, time.Now())
}

// SendWelcome tells the owner, once.
func (a *Activities) SendWelcome(ctx context.Context, in Input) error {
	return a.step(ctx, in, tenancy.SendWelcome, "", func(r tenancy.Registration) error {
		if r.Done(tenancy.SendWelcome) {
			return nil
		}
		return a.Mailer.Send(ctx, a.Letters.Welcome(r))
	})
}

// SendFailure tells an owner who had confirmed that the registration has failed, once.
func (a *Activities) SendFailure(ctx context.Context, in Input) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err != nil || r.Status != tenancy.StatusFailed || !r.Done(tenancy.Verification) {
		return err
	}
	return a.step(ctx, in, tenancy.SendFailure, "", func(r tenancy.Registration) error {
		if r.Done(tenancy.SendFailure) {
			return nil
		}
		return a.Mailer.Send(ctx, a.Letters.Failure(r))
	})
}

// Fail ends the registration and says why, and which step did not get done.
func (a *Activities) Fail(ctx context.Context, in Input, f tenancy.Failure) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err != nil {
		return err
	}
	for _, s := range r.Steps {
		if s.State != tenancy.StepRunning {
			continue
		}
		if err := a.record(ctx, in, s.Name, tenancy.StepFailed, ""); err != nil {
			return err
		}
	}
	return a.Store.Fail(ctx, in.TenantID, f)
}

// step notes that a step runs, does it, and notes that it is done. What begins
// anew an onboarding that has ended gets errOver.
func (a *Activities) step(ctx context.Context, in Input, name tenancy.StepName, then tenancy.Status, do func(tenancy.Registration) error) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err != nil {
		return err
	}
	if r.Status.Final() && !name.AfterEnd() {
		return errOver()
	}
	if err := a.record(ctx, in, name, tenancy.StepRunning, ""); err != nil {
		return err
	}
	if err := do(r); err != nil {
		return err
	}
	return a.record(ctx, in, name, tenancy.StepDone, then)
}

// undo undoes a step and notes it, unless the step was never done. What is
// active stays: only the answer of its last step was lost.
func (a *Activities) undo(ctx context.Context, in Input, name tenancy.StepName, do func(tenancy.Registration) error) error {
	r, err := a.Store.Registration(ctx, in.TenantID)
	if err != nil || r.Status == tenancy.StatusActive {
		return err
	}
	if err := do(r); err != nil || !r.Done(name) {
		return err
	}
	return a.record(ctx, in, name, tenancy.StepUndone, "")
}

func (a *Activities) record(ctx context.Context, in Input, name tenancy.StepName, s tenancy.State, then tenancy.Status) error {
	return a.Store.Record(ctx, in.TenantID, tenancy.Progress{Step: name, State: s, Status: then, At: time.Now()})
}

const over = "registration_is_over"

func errOver() error { return fault.New(fault.Conflict, over, "the registration has ended") }

// isOver reports whether a step found that the registration has ended.
func isOver(err error) bool { return temporal.Fault(err).Code == over }

// failureOf is what people are told of an error.
func failureOf(err error) tenancy.Failure {
	f := temporal.Fault(err)
	return tenancy.Failure{Code: f.Code, Message: f.Message}
}
