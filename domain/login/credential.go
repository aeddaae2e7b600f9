package login

import "bailiwick.dev/domain/identity"

// Credential is what a person logs in with.
type Credential struct {
	User          identity.UserID
	Email         string // normalised, unique within the tenant
	Name          string
	Hash          string // of the password, as PHC string
	Enabled       bool
	EmailVerified bool
}
