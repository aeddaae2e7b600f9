package login

import (
	"context"
	"strings"
	"time"

	"bailiwick.dev/domain/identity"
)

// Consents keeps what people have let clients do.
type Consents interface {
	// Consented returns the scopes that a person has let a client use; none if
	// the person was not asked.
	Consented(ctx context.Context, tenant identity.TenantID, user identity.UserID, client string) ([]string, error)
	// Consent adds scopes to those. It returns fault.NotFound when there is no
	// such person or client.
	Consent(ctx context.Context, tenant identity.TenantID, user identity.UserID, client string, scopes []string, e Event) error
	// Consents lists the caller's, by the names of the clients.
	Consents(ctx context.Context, who identity.Caller) ([]Consent, error)
	// Withdraw ends the caller's consent to a client with the codes and families
	// that the client has of the caller. It returns fault.NotFound when there is none.
	Withdraw(ctx context.Context, who identity.Caller, client string, e Event) error
}

// Consent is what a person has let a client do.
type Consent struct {
	ClientID, Name string // of the client
	Scopes         []string
	At             time.Time // when the person was asked last
}

// NeedsConsent reports whether a person who has consented to some scopes must be
// asked before the client is given others. The operator's own are not asked for.
func (c Client) NeedsConsent(consented, asked []string) bool {
	return !c.FirstParty && !contains(consented, asked)
}

// Meaning is what a scope lets a client do, as it is said to a person.
type Meaning struct{ Title, Text string }

var meanings = map[string]Meaning{
	"openid":         {"Know who you are", "It learns an identifier of your account, and nothing more."},
	"profile":        {"See your name", "As your company keeps it."},
	"email":          {"See your e-mail address", "The one that you log in with."},
	"offline_access": {"Stay connected", "It keeps its access after you log out, until you remove it on the page of your account or log out everywhere."},
	"auth":           {"Manage programs and sessions", "Applications of your company, your sessions and the audit trail, as far as your roles allow."},
	"users":          {"Manage people", "See and invite people of your company, as far as your roles allow."},
	"authz":          {"Manage roles", "See and change who may do what, as far as your roles allow."},
	"tasks":          {"Work with tasks", "See and change projects, tasks and comments, as far as your roles allow."},
	"reports":        {"Work with reports", "See and make reports, as far as your roles allow."},
}

// MeaningOf returns what a scope means to people.
func MeaningOf(scope string) Meaning {
	if m, ok := meanings[scope]; ok {
		return m
	}
	return Meaning{Title: strings.ReplaceAll(scope, "_", " ")}
}
