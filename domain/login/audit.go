package login

import (
	"time"

	"bailiwick.dev/domain/identity"
)

// The actions that the audit trail knows.
const (
	LoginSucceeded = "login.succeeded"
	LoginFailed    = "login.failed"

	ConsentGiven     = "consent.given"
	ConsentWithdrawn = "consent.withdrawn"

	PasswordSet            = "password.set" // by one of our services: an invitation was accepted
	PasswordChanged        = "password.changed"
	PasswordResetRequested = "password.reset_requested"
	PasswordReset          = "password.reset"
	EmailVerified          = "email.verified"

	SessionEnded  = "session.ended"
	SessionsEnded = "sessions.ended" // everywhere

	PersonEnabled   = "person.enabled"
	PersonDisabled  = "person.disabled"
	PersonRemoved   = "person.removed"
	TenantSuspended = "tenant.suspended"
	TenantResumed   = "tenant.resumed"

	ClientCreated = "client.created"
	ClientChanged = "client.changed" // its secret too
	ClientDeleted = "client.deleted"

	CodeReplayed    = "code.replayed"          // a second use ended what the first gave
	RefreshReplayed = "refresh_token.replayed" // after the grace period: its family ended
	TokenRevoked    = "token.revoked"          // by its client (RFC 7009), with its family if it has one

	KeysChanged = "keys.changed" // of the platform: tenant identity.Platform
)

// Event is one entry of a tenant's audit trail. It holds no password, secret,
// token or code.
type Event struct {
	Sequence int64             `json:"sequence,omitempty" doc:"Its place: the first is 1, and none is missing" example:"42"`
	At       time.Time         `json:"at" doc:"When it happened" example:"2026-01-31T09:00:00Z"`
	Action   string            `json:"action" doc:"What happened" example:"password.changed"`
	Actor    string            `json:"actor" doc:"Who did it: user:<id> or client:<id>; empty where nobody was known" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000002"`
	Subject  string            `json:"subject,omitempty" doc:"Whom or what it concerns: user:<id>, client:<id> or tenant" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000002"`
	Network  string            `json:"network,omitempty" doc:"The network that it came from" example:"192.0.2.0/24"`
	Request  string            `json:"request_id,omitempty" doc:"As the logs name the request" example:"0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	Detail   map[string]string `json:"detail,omitempty" doc:"What else is to be said" example:"{\"client\":\"Time sheets\"}"`
}

// EventOf returns what who did to subject.
func EventOf(who identity.Caller, action, subject string) Event {
	return Event{At: now(), Action: action, Actor: who.Subject(), Subject: subject, Request: who.Request.ID}
}
