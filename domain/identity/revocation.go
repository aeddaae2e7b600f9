package identity

import (
	"time"

	"github.com/google/uuid"
)

// Platform stands in place of a tenant where our own services act for none.
var Platform TenantID = uuid.Max

// Revocation ends access tokens of a tenant before they expire.
type Revocation struct {
	Tenant TenantID `json:"tenant_id"`
	// Subject says which: "user:<id>" those of logins before At, "client:<id>"
	// and "" (the whole tenant's) those issued before At, "family:<id>" all
	// that one authorization gave, "token:<jti>" one.
	Subject   string    `json:"subject"`
	At        time.Time `json:"at"`
	ExpiresAt time.Time `json:"expires_at"` // when every token from before At has expired
}

// Revocations are those that came into being since the last ones were read:
// Next is where to go on.
type Revocations struct {
	Next  int64        `json:"next"`
	Items []Revocation `json:"items"`
}
