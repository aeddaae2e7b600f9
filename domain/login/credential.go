package login

import "bailiwick.dev/domain/identity"

// Credential is what a person logs in with.
type Credential struct {
	User          identity.UserID
	Email         string // normalised, unique within the tenant
	Name          string
	Organisation  string // the tenant's name; empty where an earlier release kept none
	Hash          string // of the password, as PHC string
	Enabled       bool
	EmailVerified bool
	Attempt       int64 // at the mailed link where the password was chosen; PutCredential alone reads it
}
