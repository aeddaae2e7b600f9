package tenancy

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
)

// LinkLife is how long a mailed link works: long enough for a holiday week,
// short enough that an old mailbox opens nothing.
const LinkLife = 7 * 24 * time.Hour

// Registration is a company's wish to become a tenant, and how far it has
// come. Its id becomes the tenant's.
type Registration struct {
	ID        uuid.UUID         `json:"id" format:"uuid" doc:"The registration's id" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	TenantID  identity.TenantID `json:"tenant_id" format:"uuid" doc:"The tenant's id, once the status is active" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Slug      string            `json:"slug" doc:"The tenant's short name, unique over the platform" example:"acme"`
	Status    Status            `json:"status" enum:"pending,awaiting_verification,provisioning,active,expired,failed" doc:"Where it stands" example:"awaiting_verification"`
	Steps     []Step            `json:"steps" nullable:"false" doc:"Every step in order"`
	ClientID  string            `json:"client_id,omitempty" doc:"The tenant's first OAuth client, once the status is active" example:"0199a1b2-c3d4-7e5f-8a6b-000000000003"`
	Failure   *Failure          `json:"failure,omitempty" doc:"Why the status is failed"`
	CreatedAt time.Time         `json:"created_at" example:"2026-01-31T09:00:00Z"`
	ExpiresAt time.Time         `json:"expires_at" doc:"Until when the mailed link works" example:"2026-02-07T09:00:00Z"`

	// Known to the people concerned alone, and so never shown with the status.
	Organisation string          `json:"-"`
	OwnerName    string          `json:"-"`
	Email        string          `json:"-"`
	RedirectURIs []string        `json:"-"`
	OwnerID      identity.UserID `json:"-"`
	FirstClient  uuid.UUID       `json:"-"`
}

// Status says where a registration stands.
type Status string

// The statuses; the last three are final.
const (
	StatusPending      Status = "pending"
	StatusAwaiting     Status = "awaiting_verification"
	StatusProvisioning Status = "provisioning"
	StatusActive       Status = "active"
	StatusExpired      Status = "expired"
	StatusFailed       Status = "failed"
)

// Final reports whether nothing will happen any more.
func (s Status) Final() bool { return s == StatusActive || s == StatusExpired || s == StatusFailed }

// Failure says why a registration failed.
type Failure struct {
	Code    string `json:"code" doc:"Stable" example:"email_refused"`
	Message string `json:"message" doc:"For people" example:"the mail server refuses the address"`
}

// Step is one step of an onboarding.
type Step struct {
	Name  StepName   `json:"name" enum:"send_verification,verification,create_tenant,seed_roles,create_owner,enable_credential,create_client,activate,send_welcome" example:"send_verification"`
	State State      `json:"state" enum:"pending,running,done,failed,undone" doc:"failed: it was given up; undone: it was done, and taken back because a later step failed" example:"done"`
	At    *time.Time `json:"at,omitempty" doc:"Since when" example:"2026-01-31T09:00:01Z"`
}

// StepName names a step.
type StepName string

// The steps, in order.
const (
	SendVerification StepName = "send_verification"
	Verification     StepName = "verification"
	CreateTenant     StepName = "create_tenant"
	SeedRoles        StepName = "seed_roles"
	CreateOwner      StepName = "create_owner"
	EnableCredential StepName = "enable_credential"
	CreateClient     StepName = "create_client"
	Activate         StepName = "activate"
	SendWelcome      StepName = "send_welcome"
	SendFailure      StepName = "send_failure" // in the place of what failed; it is not shown
)

// AfterEnd reports whether a step comes after its registration's end.
func (n StepName) AfterEnd() bool { return n == SendWelcome || n == SendFailure }

var stepOrder = []StepName{SendVerification, Verification, CreateTenant, SeedRoles, CreateOwner, EnableCredential, CreateClient, Activate, SendWelcome}

// State says how far a step is.
type State string

// The states of a step.
const (
	StepPending State = "pending"
	StepRunning State = "running"
	StepDone    State = "done"
	StepFailed  State = "failed"
	StepUndone  State = "undone"
)

// Progress is what an activity notes: a step's state and, if it moves on, the
// registration's status.
type Progress struct {
	Step   StepName
	State  State
	Status Status
	At     time.Time
}

// Open returns nil if the owner can still verify r, else ErrLinkUsed or ErrLinkExpired.
func (r Registration) Open(now time.Time) error {
	switch {
	case r.Status == StatusExpired, r.Status == StatusFailed, !now.Before(r.ExpiresAt):
		return ErrLinkExpired
	case r.Status == StatusProvisioning, r.Status == StatusActive:
		return ErrLinkUsed
	}
	return nil
}

// Done reports whether a step has been done.
func (r Registration) Done(name StepName) bool {
	return slices.ContainsFunc(r.Steps, func(s Step) bool { return s.Name == name && s.State == StepDone })
}

// Shown returns r as anybody who knows its id may see it: every step is named,
// and the client only once it can be used.
func (r Registration) Shown() Registration {
	known := r.Steps
	r.Steps = make([]Step, 0, len(stepOrder))
	for _, name := range stepOrder {
		s := Step{Name: name, State: StepPending}
		if i := slices.IndexFunc(known, func(k Step) bool { return k.Name == name }); i >= 0 {
			s = known[i]
		}
		r.Steps = append(r.Steps, s)
	}
	r.TenantID, r.ClientID = r.ID, ""
	if r.Status == StatusActive {
		r.ClientID = r.FirstClient.String()
	}
	return r
}
