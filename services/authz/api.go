package main

import (
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
)

const scope = "authz"

// api is the HTTP surface of the use cases.
type api struct {
	access  *access.Service
	cursors rest.Cursors
	changes *changes
	grow    func() // has every tenant learn what is new; nil: nobody does
}

func (a *api) register(r *rest.API) {
	a.registerRoles(r)
	a.registerPermissions(r)
	a.registerAssignments(r)
	a.registerDecisions(r)
	a.registerPolicy(r)
	a.registerPlatform(r)
	a.registerGates(r)
}
