package report

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

// Service holds the use cases of those who want reports.
type Service struct {
	store      Store
	files      Files
	generation Generation
	source     Source
	gate       access.Gate
}

// NewService returns a Service, asking gate before it does anything.
func NewService(store Store, files Files, generation Generation, source Source, gate access.Gate) *Service {
	return &Service{store, files, generation, source, gate}
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Create asks for a report, of tasks that who may read: a worker reads them as
// the platform. The run's row is all that must be there: whoever does not start
// it now, the reconciler does.
func (s *Service) Create(ctx context.Context, who identity.Caller, d RunDraft) (Run, error) {
	if err := s.gate.Allow(ctx, who, ReportsCreate); err != nil {
		return Run{}, err
	}
	if err := s.allowTasks(ctx, who, d.Filter); err != nil {
		return Run{}, err
	}
	r, err := d.run(now(), who)
	if err != nil {
		return Run{}, err
	}
	if err := s.hasProject(ctx, who, d.Filter); err != nil {
		return Run{}, err
	}
	if r, err = s.store.Add(ctx, who, r); err != nil {
		return Run{}, err
	}
	_ = s.generation.Begin(ctx, Due{TenantID: who.Tenant, ID: r.ID, Format: r.Format}) // it stays due until a worker has it
	return r, nil
}

// Get returns one run.
func (s *Service) Get(ctx context.Context, who identity.Caller, id uuid.UUID) (Run, error) {
	if err := s.gate.Allow(ctx, who, ReportsRead); err != nil {
		return Run{}, err
	}
	return s.store.Run(ctx, who, id)
}

// List returns a page of runs.
func (s *Service) List(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Run], error) {
	if err := s.gate.Allow(ctx, who, ReportsRead); err != nil {
		return page.Result[Run]{}, err
	}
	return s.store.Runs(ctx, who, r)
}

// Cancel ends a run before its file is there. What makes the file sees it in
// the row within a second, so it stops also when Temporal cannot tell it.
func (s *Service) Cancel(ctx context.Context, who identity.Caller, id uuid.UUID) (Run, error) {
	if err := s.gate.Allow(ctx, who, ReportsCreate); err != nil {
		return Run{}, err
	}
	r, err := s.store.Cancel(ctx, who, id, now())
	if err != nil {
		return Run{}, err
	}
	_ = s.generation.Cancel(ctx, who.Tenant, id)
	return r, nil
}

// allowTasks asks whether who may read the tasks that f chooses.
func (s *Service) allowTasks(ctx context.Context, who identity.Caller, f RunFilter) error {
	return s.gate.AllowIn(ctx, who, task.TasksRead, f.tasks().ProjectID)
}

// patience is how long a report waits to hear whether its project is there.
const patience = 2 * time.Second

// hasProject refuses tasks of a project that is not there, or is another tenant's.
// While nobody can tell, it does not: the worker waits for who can.
func (s *Service) hasProject(ctx context.Context, who identity.Caller, f RunFilter) error {
	if f.ProjectID == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.source.HasProject(ctx, who.Tenant, *f.ProjectID); fault.Is(err, fault.NotFound) {
		return fault.InvalidAt("/filter/project_id", "unknown_project", "the tenant has no such project")
	}
	return nil
}

// Open returns a run with its file, which the caller closes. It returns
// fault.Forbidden unless who may read the tasks that are in it, and
// fault.Conflict as long as there is none.
func (s *Service) Open(ctx context.Context, who identity.Caller, id uuid.UUID) (Run, io.ReadSeekCloser, error) {
	r, err := s.Get(ctx, who, id)
	if err != nil {
		return r, nil, err
	}
	if err := s.allowTasks(ctx, who, r.Filter); err != nil {
		return r, nil, err
	}
	if r.Status != Succeeded || r.File == nil {
		return r, nil, fault.New(fault.Conflict, "report_not_ready", "the run has no file: see its status")
	}
	f, err := s.files.Open(ctx, Place{who.Tenant, id, r.File.Object})
	return r, f, err
}
