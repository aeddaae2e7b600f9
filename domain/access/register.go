package access

import (
	"context"
	"fmt"
	"slices"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Declared is a permission that a service's own code asks for.
type Declared struct {
	Name        Permission `json:"name"`
	Description string     `json:"description"`
	Least       string     `json:"least"` // the weakest seeded role that holds it from the beginning
}

// Declarations are the permissions of this service's own operations.
var Declarations = []Declared{
	{RolesRead, "See roles and permissions", Manager},
	{RolesWrite, "Make, change and delete roles and permissions", Admin},
	{AssignmentsRead, "See who has which role and holds what", Admin},
	{AssignmentsWrite, "Give and take roles", Admin},
}

// seeded are the roles that every tenant begins with, strongest first.
var seeded = []RoleDraft{
	{Name: Owner, Description: "Everything"},
	{Name: Admin, Description: "Everything but the tenant itself"},
	{Name: Manager, Description: "The work, and inviting people to it"},
	{Name: Member, Description: "The work"},
	{Name: Viewer, Description: "Seeing the work"},
}

// Seeded returns the roles that a tenant begins with, strongest first, with
// those of all declared permissions that each is strong enough for.
func Seeded(all []Declared) []RoleDraft {
	roles := slices.Clone(seeded)
	for i := range roles {
		for _, d := range all {
			if i <= strength(d.Least) {
				roles[i].Permissions = append(roles[i].Permissions, d.Name)
			}
		}
	}
	return roles
}

func strength(role string) int {
	return slices.IndexFunc(seeded, func(r RoleDraft) bool { return r.Name == role })
}

// Register makes known what a service declares; every tenant learns it by Grow
// or with its seed. Declaring the same again changes nothing, and what is not
// declared any more stays. It is for our own services. It returns whether
// anything is new, and fault.Conflict if another service declared the name.
func (s *Service) Register(ctx context.Context, who identity.Caller, service string, all []Declared) (news bool, err error) {
	if !who.IsPlatform() {
		return false, forbidden
	}
	var c fault.Check
	for i, d := range all {
		at := fmt.Sprintf("/permissions/%d", i)
		c.Within(at, PermissionDraft{d.Name, d.Description}.check())
		c.That(strength(d.Least) >= 0, at+"/least", "unknown_role", "it is one of the roles that every tenant begins with")
	}
	if err := c.Err(); err != nil {
		return false, err
	}
	return s.store.Declare(ctx, service, all)
}

const batch = 100 // tenants that are looked for at once

// Grow brings to all tenants what was registered since they were seeded. What
// breaks off goes on the next time.
func (s *Service) Grow(ctx context.Context) error {
	for {
		behind, err := s.store.Behind(ctx, batch)
		if err != nil || len(behind) == 0 {
			return err
		}
		for _, tenant := range behind {
			if err := s.Seed(ctx, identity.Caller{Tenant: tenant, Client: "svc-authz", Scopes: []string{identity.PlatformScope}}); err != nil {
				return err
			}
		}
	}
}
