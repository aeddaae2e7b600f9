// Package identity says who asks.
//
// A Caller is made once, from a verified token, and is handed down as a
// parameter to the store: nothing of it hides in a context.
package identity

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// TenantID names a tenant; UserID a person of one tenant. Both are UUIDv7.
type (
	TenantID = uuid.UUID
	UserID   = uuid.UUID
)

// PlatformScope is held by tokens of our own services alone.
const PlatformScope = "platform"

// ServicePrefix begins the client_id of each of our own services, and of no other client.
const ServicePrefix = "svc-"

// Caller is who asks, and in which request.
type Caller struct {
	Tenant  TenantID
	User    UserID   // zero when a client acts for itself
	Client  string   // the OAuth client_id
	Actor   string   // the service that acts for User by a token that it was given for that; empty: nobody does
	Scopes  []string // what the token may be used for; permissions are decided by the policy
	Request Request
}

// Request is what of the request its effects are recorded with.
type Request struct {
	ID   string
	Once *Once // nil: the request named no Idempotency-Key
}

// Once makes a write happen once: Key is the client's, Fingerprint the digest
// of what was asked, so that a key reused for something else is noticed.
type Once struct{ Key, Fingerprint string }

// Part is the caller of one of the transactions into which a request is cut: the
// one whose first item is the nth. Its key is derived, so that each happens once.
func (c Caller) Part(n int) Caller {
	if c.Request.Once != nil && n > 0 {
		once := *c.Request.Once
		once.Key = fmt.Sprintf("%x/%d", sha256.Sum256([]byte(once.Key)), n)
		c.Request.Once = &once
	}
	return c
}

// Subject returns the policy's name of the caller: "user:<id>" or "client:<id>".
func (c Caller) Subject() string {
	if c.User != uuid.Nil {
		return "user:" + c.User.String()
	}
	return "client:" + c.Client
}

// HasScope reports whether the caller's token holds scope.
func (c Caller) HasScope(scope string) bool { return slices.Contains(c.Scopes, scope) }

// IsPlatform reports whether the caller is one of our own services.
func (c Caller) IsPlatform() bool { return c.User == uuid.Nil && c.HasScope(PlatformScope) }
