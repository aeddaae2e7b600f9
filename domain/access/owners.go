package access

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// People is the auth service, which knows who can log in.
type People interface {
	// CanLogIn reports whether there is such a person in the tenant, who can log in.
	CanLogIn(ctx context.Context, tenant identity.TenantID, user identity.UserID) (bool, error)
}

// maxHeirs bounds how many owners are asked about: among more than that one is somebody.
const maxHeirs = 100

// heir returns another owner, who can log in, where the role makes one of of; uuid.Nil:
// it does not, or there is none. A role is given to any id, so that an owner may be
// nobody. It is found before a change, within which no other service is asked.
func (s *Service) heir(ctx context.Context, who identity.Caller, of Subject, role string, project uuid.UUID) (identity.UserID, error) {
	if role != Owner || of.User == uuid.Nil || project != uuid.Nil || who.IsPlatform() {
		return uuid.Nil, nil
	}
	var now Snapshot
	if _, denied := s.allow(ctx, who, AssignmentsWrite, uuid.Nil); denied == nil { // else the change says so
		var err error
		if now, err = s.store.Snapshot(ctx, who.Tenant); err != nil {
			return uuid.Nil, err
		}
	}
	return s.somebody(ctx, who, slices.DeleteFunc(now.owners(), func(u identity.UserID) bool { return u == of.User }))
}

// somebody returns one of the people who can log in, or uuid.Nil.
func (s *Service) somebody(ctx context.Context, who identity.Caller, people []identity.UserID) (identity.UserID, error) {
	for _, u := range people[:min(len(people), maxHeirs)] {
		if can, err := s.people.CanLogIn(ctx, who.Tenant, u); can || err != nil {
			return u, err
		}
	}
	return uuid.Nil, nil
}

// owners returns the people who are owners of everything without end; a client
// cannot log in to mend things.
func (s Snapshot) owners() (all []identity.UserID) {
	for _, a := range s.Assignments {
		if a.Role == Owner && a.SubjectKind == KindUser && a.lasting() {
			all = append(all, a.Subject().User)
		}
	}
	return all
}

// owners returns those of the policy that d describes.
func (d Document) owners() (all []identity.UserID) {
	for _, a := range d.Assignments {
		if a.Role == Owner && a.SubjectKind == KindUser && a.project() == uuid.Nil && a.Until == nil {
			all = append(all, Assignment{SubjectKind: KindUser, SubjectID: a.SubjectID}.Subject().User)
		}
	}
	return all
}

func errLastOwner() error {
	return fault.New(fault.Conflict, "last_owner", "a tenant keeps at least one person who is owner and can log in")
}
