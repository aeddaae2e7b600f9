package fake

import (
	"slices"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
)

// writer makes the next snapshot and leaves the present one alone.
type writer struct{ next access.Snapshot }

func (w *writer) PutPermission(d access.PermissionDefinition) {
	w.next.Permissions = put(w.next.Permissions, d, func(x access.PermissionDefinition) uuid.UUID { return x.ID })
}

func (w *writer) DropPermission(d access.PermissionDefinition) {
	w.next.Permissions = drop(w.next.Permissions, d.ID, func(x access.PermissionDefinition) uuid.UUID { return x.ID })
}

func (w *writer) PutRole(r access.Role) {
	w.rename(r)
	w.next.Roles = put(w.next.Roles, r, func(x access.Role) uuid.UUID { return x.ID })
}

func (w *writer) DropRole(r access.Role) {
	w.next.Roles = drop(w.next.Roles, r.ID, func(x access.Role) uuid.UUID { return x.ID })
}

func (w *writer) PutAssignment(a access.Assignment) {
	w.next.Assignments = put(w.next.Assignments, a, func(x access.Assignment) uuid.UUID { return x.ID })
}

func (w *writer) DropAssignment(a access.Assignment) {
	w.next.Assignments = drop(w.next.Assignments, a.ID, func(x access.Assignment) uuid.UUID { return x.ID })
}

// rename carries a role's new name to those who have it and those that inherit
// from it, which are new versions for it.
func (w *writer) rename(r access.Role) {
	i := slices.IndexFunc(w.next.Roles, func(x access.Role) bool { return x.ID == r.ID })
	if i < 0 || w.next.Roles[i].Name == r.Name {
		return
	}
	old := w.next.Roles[i].Name
	w.next.Assignments = slices.Clone(w.next.Assignments)
	for i, a := range w.next.Assignments {
		if a.Role == old {
			w.next.Assignments[i].Role = r.Name
			w.next.Assignments[i].Version++
		}
	}
	w.next.Roles = slices.Clone(w.next.Roles)
	for i, x := range w.next.Roles {
		if at := slices.Index(x.Parents, old); at >= 0 {
			w.next.Roles[i].Parents = slices.Clone(x.Parents)
			w.next.Roles[i].Parents[at] = r.Name
			slices.Sort(w.next.Roles[i].Parents)
			w.next.Roles[i].Version, w.next.Roles[i].UpdatedAt = x.Version+1, r.UpdatedAt
		}
	}
}

func put[T any](all []T, x T, id func(T) uuid.UUID) []T {
	return append(drop(all, id(x), id), x)
}

func drop[T any](all []T, gone uuid.UUID, id func(T) uuid.UUID) []T {
	return slices.DeleteFunc(slices.Clone(all), func(x T) bool { return id(x) == gone })
}
