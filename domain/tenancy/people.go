package tenancy

import (
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Tenant is a company on the platform.
type Tenant struct {
	ID        identity.TenantID `json:"id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Slug      string            `json:"slug" doc:"Short name, unique over the platform" example:"acme"`
	Name      string            `json:"name" doc:"The organisation" example:"Acme Ltd"`
	Status    string            `json:"status" enum:"provisioning,active,suspended" example:"active"`
	CreatedAt time.Time         `json:"created_at" example:"2026-01-31T09:00:00Z"`
}

// The statuses of a tenant.
const (
	TenantProvisioning = "provisioning"
	TenantActive       = "active"
	TenantSuspended    = "suspended" // its people and clients get no tokens
)

// User is a person of one tenant.
type User struct {
	ID        identity.UserID `json:"id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000002"`
	Email     string          `json:"email" format:"idn-email" doc:"Unique within the tenant" example:"ada@acme.example"`
	Name      string          `json:"name" example:"Ada Lovelace"`
	Status    string          `json:"status" enum:"active,disabled" example:"active"`
	CreatedAt time.Time       `json:"created_at" example:"2026-01-31T09:00:00Z"`
}

// The statuses of a person: only the first may log in.
const (
	UserActive   = "active"
	UserDisabled = "disabled"
)

// Invitation asks a person to join a tenant. Its id becomes the user's.
type Invitation struct {
	ID        uuid.UUID `json:"id" format:"uuid" doc:"The invitation's id, which becomes the user's" example:"0199a1b2-c3d4-7e5f-8a6b-000000000004"`
	Email     string    `json:"email" format:"idn-email" example:"grace@acme.example"`
	Name      string    `json:"name,omitempty" doc:"Of the person, as the inviter knows it" example:"Grace Hopper"`
	Role      string    `json:"role" doc:"What the person will be given" example:"member"`
	RoleID    uuid.UUID `json:"-"` // of the role that had the name then; zero: an earlier release did not ask
	Status    string    `json:"status" enum:"pending,accepted,expired,withdrawn" example:"pending"`
	InvitedBy string    `json:"invited_by" doc:"Who invited: user:<id> or client:<id>" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000002"`
	CreatedAt time.Time `json:"created_at" example:"2026-01-31T09:00:00Z"`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when the mailed link works" example:"2026-02-07T09:00:00Z"`
}

// The statuses of an invitation.
const (
	InvitationPending   = "pending"
	InvitationAccepted  = "accepted"
	InvitationExpired   = "expired"
	InvitationWithdrawn = "withdrawn"
)

// As returns i with its status as of now: nobody has to come by and expire it.
func (i Invitation) As(now time.Time) Invitation {
	if i.Status == InvitationPending && !now.Before(i.ExpiresAt) {
		i.Status = InvitationExpired
	}
	return i
}

// Open returns nil if i can be accepted, else ErrLinkUsed, ErrLinkExpired or
// ErrLinkUnknown.
func (i Invitation) Open(now time.Time) error {
	switch i.As(now).Status {
	case InvitationAccepted:
		return ErrLinkUsed
	case InvitationExpired:
		return ErrLinkExpired
	case InvitationWithdrawn:
		return ErrLinkUnknown
	}
	return nil
}

// ErrTooManyRegistrations and ErrTooManyInvitations say that an address has had
// MaxMails, and after what time it may have another.
func ErrTooManyRegistrations(wait time.Duration) error {
	return &fault.Error{Kind: fault.Throttled, Code: "too_many_registrations", Message: "this address was registered too often, and nobody has confirmed; try again later", RetryAfter: wait}
}

func ErrTooManyInvitations(wait time.Duration) error {
	return &fault.Error{Kind: fault.Throttled, Code: "too_many_invitations", Message: "this address was invited too often; try again later", RetryAfter: wait}
}

// What a mailed link, a slug, or a tenant that is no more than begun may fail with.
var (
	ErrLinkUsed      = fault.New(fault.Conflict, "link_used", "this link was used; log in instead")
	ErrLinkOvertaken = fault.New(fault.Conflict, "link_overtaken", "this link was used once more meanwhile; open it again")
	ErrLinkExpired   = fault.New(fault.Conflict, "link_expired", "this link is no longer valid; ask for a new one")
	ErrLinkUnknown   = fault.New(fault.NotFound, "link_unknown", "this link is not valid, or not any more; open it again from the mail, or ask for another")
	ErrLinkVoid      = fault.New(fault.Conflict, "invitation_void", "the role is gone, or who invited you may not give it any more; ask for another invitation")
	ErrAccepted      = fault.New(fault.Conflict, "invitation_is_over", "the person has accepted")
	ErrNotActive     = fault.New(fault.Conflict, "tenant_not_active", "the tenant is not active")
	ErrSlugTaken     = fault.New(fault.Conflict, "slug_taken", "this slug is taken; choose another or leave it out")
)
