package task

import (
	"context"
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
	// AddProject stores p.
	AddProject(ctx context.Context, who identity.Caller, p Project) (Project, error)
	// Project returns a project, or fault.NotFound.
	Project(ctx context.Context, who identity.Caller, id uuid.UUID) (Project, error)
	// Projects returns a page of projects, oldest first.
	Projects(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Project], error)
	// ChangeProject stores p in the place of version p.Version-1. It returns
	// fault.NotFound, or fault.Precondition when that is not the current one.
	ChangeProject(ctx context.Context, who identity.Caller, p Project) (Project, error)
	// DeleteProject deletes a project with its tasks; errors as ChangeProject.
	DeleteProject(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) error

	// Add stores t and its first history entries as one change. It returns
	// fault.NotFound when the project does not exist.
	Add(ctx context.Context, who identity.Caller, t Task) (Task, error)
	// Task returns a task, or fault.NotFound.
	Task(ctx context.Context, who identity.Caller, id uuid.UUID) (Task, error)
	// Tasks returns a page of the tasks that f chooses, oldest first.
	Tasks(ctx context.Context, who identity.Caller, f Filter, r page.Request) (page.Result[Task], error)
	// Change stores t in the place of version t.Version-1 and adds changes to
	// its history, as one change; errors as ChangeProject.
	Change(ctx context.Context, who identity.Caller, t Task, changes []Change) (Task, error)
	// Delete deletes a task with its comments; errors as ChangeProject.
	Delete(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) error

	// AddComment stores c. It returns fault.NotFound when the task does not exist.
	AddComment(ctx context.Context, who identity.Caller, c Comment) (Comment, error)
	// Comments returns a page of a task's comments, oldest first, or
	// fault.NotFound when the task does not exist.
	Comments(ctx context.Context, who identity.Caller, task uuid.UUID, r page.Request) (page.Result[Comment], error)
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
	if err := s.gate.Allow(ctx, who, access.TasksWrite); err != nil {
		return Task{}, err
	}
	t, err := d.task(s.now(), who)
	if err != nil {
		return Task{}, err
	}
	return s.store.Add(ctx, who, t)
}

// Get returns one task.
func (s *Service) Get(ctx context.Context, who identity.Caller, id uuid.UUID) (Task, error) {
	if err := s.gate.Allow(ctx, who, access.TasksRead); err != nil {
		return Task{}, err
	}
	return s.store.Task(ctx, who, id)
}

// List returns a page of the tasks that f chooses.
func (s *Service) List(ctx context.Context, who identity.Caller, f Filter, r page.Request) (page.Result[Task], error) {
	if err := s.gate.Allow(ctx, who, access.TasksRead); err != nil {
		return page.Result[Task]{}, err
	}
	return s.store.Tasks(ctx, who, f, r)
}

// Change applies p to the task's given version.
func (s *Service) Change(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, p TaskPatch) (Task, error) {
	if err := s.gate.Allow(ctx, who, access.TasksWrite); err != nil {
		return Task{}, err
	}
	before, err := s.store.Task(ctx, who, id)
	if err != nil {
		return Task{}, err
	}
	if before.Version != version && who.Request.Once == nil { // a repetition names the version it changed
		return Task{}, Stale()
	}
	before.Version = version
	after, err := p.to(before, s.now())
	if err != nil {
		return Task{}, err
	}
	return s.store.Change(ctx, who, after, Changes(before, after, who))
}

// Delete deletes the task's given version.
func (s *Service) Delete(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) error {
	if err := s.gate.Allow(ctx, who, access.TasksDelete); err != nil {
		return err
	}
	return s.store.Delete(ctx, who, id, version)
}

// Comment adds a comment to a task.
func (s *Service) Comment(ctx context.Context, who identity.Caller, task uuid.UUID, d CommentDraft) (Comment, error) {
	if err := s.gate.Allow(ctx, who, access.CommentsWrite); err != nil {
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
	if err := s.gate.Allow(ctx, who, access.TasksRead); err != nil {
		return page.Result[Comment]{}, err
	}
	return s.store.Comments(ctx, who, task, r)
}

// Stale is the failure of a change to a version that is not the current one.
func Stale() error {
	return fault.New(fault.Precondition, "version_is_old", "it was changed meanwhile: read it again")
}
