package access

import (
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// ReportsClient is the reports service's own client: it reads, on behalf of a
// tenant, what a report shows, and is given Viewer with the seed.
const ReportsClient = "svc-reports"

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

// Assignment gives a subject a role. It never changes: it is there or not.
type Assignment struct {
	ID          uuid.UUID `json:"id" format:"uuid" doc:"The assignment's id"`
	SubjectKind string    `json:"subject_kind" enum:"user,client" example:"user" doc:"Whether a person or a client has the role"`
	SubjectID   string    `json:"subject_id" example:"0199a1b2-0000-7000-8000-000000000001" doc:"The user's id or the client_id"`
	Role        string    `json:"role" example:"member" doc:"The role's name"`
	CreatedAt   time.Time `json:"created_at" doc:"When it was given"`
}

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
}
