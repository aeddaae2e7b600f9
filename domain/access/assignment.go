package access

import (
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/patch"
)

// The kinds of subject.
const (
	KindUser   = "user"
	KindClient = "client"
)

// Subject is whom a decision is about: a person, or a client that acts for
// itself. It is comparable and made without allocation.
type Subject struct {
	User   identity.UserID
	Client string // only where User is zero
}

// SubjectOf returns the subject that a caller acts as.
func SubjectOf(who identity.Caller) Subject {
	if who.User != uuid.Nil {
		return Subject{User: who.User}
	}
	return Subject{Client: who.Client}
}

// ParseSubject reads a subject's kind and id. It returns fault.Invalid when
// they name none.
func ParseSubject(kind, id string) (Subject, error) {
	var c fault.Check
	var s Subject
	switch kind {
	case KindUser:
		var err error
		s.User, err = uuid.Parse(id)
		c.That(err == nil && s.User != uuid.Nil && len(id) == 36, "/subject_id", "malformed", "a user is named by a UUID")
	case KindClient:
		s.Client = id
		checkText(&c, "/subject_id", id, 1, maxName)
	default:
		c.That(false, "/subject_kind", "unknown_kind", "a subject is a user or a client")
	}
	return s, c.Err()
}

// Kind returns KindUser or KindClient.
func (s Subject) Kind() string {
	if s.User != uuid.Nil {
		return KindUser
	}
	return KindClient
}

// ID returns the subject's id within its kind.
func (s Subject) ID() string {
	if s.User != uuid.Nil {
		return s.User.String()
	}
	return s.Client
}

// Forever is when an assignment without an end ends.
var Forever = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// Grant says who is given which role, where and for how long.
type Grant struct {
	Subject
	Role    string
	Project uuid.UUID // only there; uuid.Nil: in the whole tenant
	Until   time.Time // from then on no more; zero: without end
}

// Assignment gives a subject a role, in one project or in all, until a time or
// without end. Until alone changes.
type Assignment struct {
	ID          uuid.UUID  `json:"id" format:"uuid" doc:"The assignment's id"`
	SubjectKind string     `json:"subject_kind" enum:"user,client" example:"user" doc:"Whether a person or a client has the role"`
	SubjectID   string     `json:"subject_id" example:"0199a1b2-0000-7000-8000-000000000001" doc:"The user's id or the client_id"`
	Role        string     `json:"role" example:"member" doc:"The role's name"`
	ProjectID   *uuid.UUID `json:"project_id" nullable:"true" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001" doc:"The project that it is for; null: the whole tenant"`
	Until       *time.Time `json:"until" nullable:"true" example:"2030-01-01T00:00:00Z" doc:"From when on it holds no more; null: without end"`
	Version     int64      `json:"version" example:"1" doc:"The version that the ETag names"`
	CreatedAt   time.Time  `json:"created_at" doc:"When it was given"`
}

// AssignmentPatch names what of an assignment changes.
type AssignmentPatch struct {
	Until patch.Field[time.Time] // null: without end
}

// Project returns the project that a is for, or uuid.Nil.
func (a Assignment) Project() uuid.UUID {
	if a.ProjectID == nil {
		return uuid.Nil
	}
	return *a.ProjectID
}

// End returns when a holds no more, or Forever.
func (a Assignment) End() time.Time {
	if a.Until == nil {
		return Forever
	}
	return *a.Until
}

// setUntil has a end at that time, which has to come; nil: never.
func (a *Assignment) setUntil(until *time.Time, now time.Time) error {
	a.Until = nil
	if until == nil {
		return nil
	}
	var c fault.Check
	c.That(until.After(now) && until.Before(Forever), "/until", "out_of_range", "a role ends in the future")
	a.Until = pointer(until.UTC().Truncate(time.Microsecond))
	return c.Err()
}

// HoldsAt reports whether a is not over at that time.
func (a Assignment) HoldsAt(at time.Time) bool { return a.Until == nil || at.Before(*a.Until) }

// lasting reports whether a holds in the whole tenant and without end.
func (a Assignment) lasting() bool { return a.ProjectID == nil && a.Until == nil }

// Subject returns who has the role.
func (a Assignment) Subject() Subject {
	s, err := ParseSubject(a.SubjectKind, a.SubjectID)
	if err != nil {
		return Subject{} // nobody: no caller is this subject
	}
	return s
}

// AssignmentFilter narrows a list of assignments; empty fields do not.
type AssignmentFilter struct {
	SubjectKind string `query:"subject_kind" enum:"user,client" doc:"Only people or only clients"`
	SubjectID   string `query:"subject_id" maxLength:"100" doc:"Only this subject's"`
	Role        string `query:"role" maxLength:"100" doc:"Only of the role with this name"`
	ProjectID   string `query:"project_id" format:"uuid" doc:"Only those for this project"`
}

func (f AssignmentFilter) project() uuid.UUID {
	id, err := uuid.Parse(f.ProjectID)
	if err != nil {
		return uuid.Nil // none is asked for
	}
	return id
}
