package task

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Store keeps the projects, tasks and comments of all tenants, each behind its
// own wall: another tenant's row is one that does not exist. A write that the
// caller's request makes once returns the first answer when it is repeated.
type Store interface {
	// AddProject stores p, with a key made of its name if it has none. It returns
	// fault.Conflict when another project has the key that p asks for.
	AddProject(ctx context.Context, who identity.Caller, p Project) (Project, error)
	// Project returns a project, or fault.NotFound.
	Project(ctx context.Context, who identity.Caller, id uuid.UUID) (Project, error)
	// Projects returns a page of projects, oldest first: of those that only names,
	// unless that is nil.
	Projects(ctx context.Context, who identity.Caller, only []uuid.UUID, r page.Request) (page.Result[Project], error)
	// ChangeProject stores p in the place of version p.Version-1. It returns
	// fault.NotFound, fault.Precondition when that is not the current one, or
	// fault.Conflict when a task has a status that p has not.
	ChangeProject(ctx context.Context, who identity.Caller, p Project) (Project, error)
	// DeleteProject deletes a project with its tasks; errors as ChangeProject. Of
	// more than a thousand it stops all changes at once, and drops them, and frees
	// its key, a little later.
	DeleteProject(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) error
	// AddMember adds a member, if the person is none; fault.NotFound.
	AddMember(ctx context.Context, who identity.Caller, project uuid.UUID, m Member) error
	// RemoveMember removes a member, if the person is one; fault.NotFound.
	RemoveMember(ctx context.Context, who identity.Caller, project, user uuid.UUID) error
	// Members returns a page of a project's members, first come first; fault.NotFound.
	Members(ctx context.Context, who identity.Caller, project uuid.UUID, r page.Request) (page.Result[Member], error)

	// Add stores t as Project.Place places it, with the first entry of its
	// history, as one change. It returns fault.NotFound when the project does
	// not exist, and what Project.Place and ErrParent say.
	Add(ctx context.Context, who identity.Caller, t Task) (Task, error)
	// Task returns a task that is not in the trash, or fault.NotFound.
	Task(ctx context.Context, who identity.Caller, id uuid.UUID) (Task, error)
	// Places returns of what project each of these tasks is that there is, in the
	// trash or not.
	Places(ctx context.Context, who identity.Caller, tasks []uuid.UUID) (map[uuid.UUID]uuid.UUID, error)
	// Tasks returns a page of the tasks that q chooses.
	Tasks(ctx context.Context, who identity.Caller, q Query, r page.Request) (page.Result[Task], error)
	// Counts counts the tasks that q chooses by one of Groups, most first.
	Counts(ctx context.Context, who identity.Caller, q Query, by string) ([]Count, error)
	// Export hands each task that q chooses to yield, in no order and as of one
	// moment, until yield returns an error.
	Export(ctx context.Context, who identity.Caller, q Query, yield func(*Task) error) error
	// Change stores what Patch.Apply makes of the given version, and an entry
	// of its history, as one change; its errors too, fault.NotFound,
	// fault.Precondition and ErrParent.
	Change(ctx context.Context, who identity.Caller, c ItemChange, at time.Time) (Task, error)
	// Move gives the given version a rank between those of two tasks of its
	// project, of which one may be uuid.Nil: then it comes next to the other.
	// Errors as Change and RankIn.
	Move(ctx context.Context, who identity.Caller, m Move, at time.Time) (Task, error)
	// Delete moves the given version to the trash; fault.NotFound,
	// fault.Precondition, and fault.Conflict when the project is archived.
	Delete(ctx context.Context, who identity.Caller, d ItemDelete, at time.Time) (Task, error)
	// Restore takes the given version out of the trash; errors as Delete.
	Restore(ctx context.Context, who identity.Caller, d ItemDelete, at time.Time) (Task, error)
	// Bulk does the writes as one transaction. With all, it does none of them
	// when one fails.
	Bulk(ctx context.Context, who identity.Caller, writes []Write, all bool) ([]Outcome, error)
	// History returns a page of a task's changes, oldest first, whether it is in
	// the trash or not; fault.NotFound.
	History(ctx context.Context, who identity.Caller, id uuid.UUID, r page.Request) (page.Result[Change], error)

	// AddComment stores c. It returns fault.NotFound when the task does not exist.
	AddComment(ctx context.Context, who identity.Caller, c Comment) (Comment, error)
	// Comments returns a page of a task's comments, oldest first, or
	// fault.NotFound when the task does not exist.
	Comments(ctx context.Context, who identity.Caller, task uuid.UUID, r page.Request) (page.Result[Comment], error)

	Imports
}

// Service holds the use cases.
type Service struct {
	store Store
	gate  access.Gate
	now   func() time.Time
}

// NewService returns a Service on store, asking gate before it does anything.
func NewService(store Store, gate access.Gate) *Service {
	return &Service{store: store, gate: gate, now: func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }}
}

// Create adds a task to a project of the caller's tenant.
func (s *Service) Create(ctx context.Context, who identity.Caller, d Draft) (Task, error) {
	if err := s.gate.AllowIn(ctx, who, TasksWrite, d.ProjectID); err != nil {
		return Task{}, err
	}
	t, err := d.task(s.now(), who)
	if err != nil {
		return Task{}, err
	}
	made, err := s.store.Add(ctx, who, t)
	return made, fault.UnknownAt("/project_id", err)
}

// Get returns one task.
func (s *Service) Get(ctx context.Context, who identity.Caller, id uuid.UUID) (Task, error) {
	return s.readTask(ctx, who, TasksRead, id)
}

// List returns a page of the tasks that f chooses. With a role for one project
// alone, f has to name it.
func (s *Service) List(ctx context.Context, who identity.Caller, f Filter, r page.Request) (page.Result[Task], error) {
	q, err := s.query(ctx, who, f)
	if err != nil {
		return page.Result[Task]{}, err
	}
	return s.store.Tasks(ctx, who, q, r)
}

// Counts counts the tasks that f chooses by one of Groups.
func (s *Service) Counts(ctx context.Context, who identity.Caller, f Filter, by string) ([]Count, error) {
	q, err := s.query(ctx, who, f)
	if err != nil {
		return nil, err
	}
	if by = short(by); !slices.Contains(Groups, by) {
		return nil, parameter("by", "unknown_field", "tasks are counted by "+strings.Join(Groups, ", "))
	}
	return s.store.Counts(ctx, who, q, by)
}

// Export hands each task that f chooses to what begin returns, which is called
// when nothing can be refused any more.
func (s *Service) Export(ctx context.Context, who identity.Caller, f Filter, begin func() func(*Task) error) error {
	q, err := s.query(ctx, who, f)
	if err != nil {
		return err
	}
	return s.store.Export(ctx, who, q, begin())
}

func (s *Service) query(ctx context.Context, who identity.Caller, f Filter) (Query, error) {
	if err := s.gate.AllowIn(ctx, who, TasksRead, f.ProjectID); err != nil {
		return Query{}, err
	}
	return f.Query(who, s.now())
}

// Change applies c to the version that it names.
func (s *Service) Change(ctx context.Context, who identity.Caller, c ItemChange) (t Task, err error) {
	if err := s.allowTask(ctx, who, TasksWrite, c.ID); err != nil {
		return t, err
	}
	if c.Patch, err = c.Patch.Normal(); err != nil {
		return t, err
	}
	return s.store.Change(ctx, who, c, s.now())
}

// Move is a task's new place in the manual order of its project.
type Move struct {
	ID            uuid.UUID
	Version       int64
	After, Before uuid.UUID // its neighbours to be; Nil: whoever is there
}

// Move gives a task another place in the manual order.
func (s *Service) Move(ctx context.Context, who identity.Caller, m Move) (Task, error) {
	if err := s.allowTask(ctx, who, TasksWrite, m.ID); err != nil {
		return Task{}, err
	}
	var c fault.Check
	c.That(m.After != uuid.Nil || m.Before != uuid.Nil, "/after", "required", "name the task after or before which it comes")
	c.That(m.After != m.ID, "/after", "invalid_value", "a task does not come after itself")
	c.That(m.Before != m.ID, "/before", "invalid_value", "a task does not come before itself")
	if err := c.Err(); err != nil {
		return Task{}, err
	}
	return s.store.Move(ctx, who, m, s.now())
}

// Delete moves the task's given version to the trash.
func (s *Service) Delete(ctx context.Context, who identity.Caller, d ItemDelete) error {
	if err := s.allowTask(ctx, who, TasksDelete, d.ID); err != nil {
		return err
	}
	_, err := s.store.Delete(ctx, who, d, s.now())
	return err
}

// Restore takes the task's given version out of the trash.
func (s *Service) Restore(ctx context.Context, who identity.Caller, d ItemDelete) (Task, error) {
	if err := s.allowTask(ctx, who, TasksDelete, d.ID); err != nil {
		return Task{}, err
	}
	return s.store.Restore(ctx, who, d, s.now())
}

// History returns a page of a task's changes.
func (s *Service) History(ctx context.Context, who identity.Caller, id uuid.UUID, r page.Request) (page.Result[Change], error) {
	if err := s.allowTask(ctx, who, TasksRead, id); err != nil {
		return page.Result[Change]{}, err
	}
	return s.store.History(ctx, who, id, r)
}

// Comment adds a comment to a task.
func (s *Service) Comment(ctx context.Context, who identity.Caller, task uuid.UUID, d CommentDraft) (Comment, error) {
	if err := s.allowTask(ctx, who, CommentsWrite, task); err != nil {
		return Comment{}, err
	}
	c, err := d.comment(s.now(), who, task)
	if err != nil {
		return Comment{}, err
	}
	return s.store.AddComment(ctx, who, c)
}

// Comments returns a page of a task's comments.
func (s *Service) Comments(ctx context.Context, who identity.Caller, task uuid.UUID, r page.Request) (page.Result[Comment], error) {
	if err := s.allowTask(ctx, who, TasksRead, task); err != nil {
		return page.Result[Comment]{}, err
	}
	return s.store.Comments(ctx, who, task, r)
}

// Stale is the failure of a change to a version that is not the current one.
func Stale() error {
	return fault.New(fault.Precondition, "precondition_failed", "it was changed meanwhile: read it again")
}

// Retention is how long the trash keeps a task.
const Retention = 30 * 24 * time.Hour

// Trash is what was deleted, of all tenants.
type Trash interface {
	// PurgeTrash drops for good some of what was deleted before then, and of the
	// imports that were over, and returns how many: 0 when nothing is left.
	PurgeTrash(ctx context.Context, then time.Time) (int64, error)
}
