package task

import (
	"context"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// CreateProject adds a project to the caller's tenant.
func (s *Service) CreateProject(ctx context.Context, who identity.Caller, d ProjectDraft) (Project, error) {
	if err := s.gate.Allow(ctx, who, ProjectsWrite); err != nil {
		return Project{}, err
	}
	p, err := d.project(s.now(), who)
	if err != nil {
		return Project{}, err
	}
	return s.store.AddProject(ctx, who, p)
}

// Project returns one project.
func (s *Service) Project(ctx context.Context, who identity.Caller, id uuid.UUID) (Project, error) {
	if err := s.gate.AllowIn(ctx, who, ProjectsRead, id); err != nil {
		return Project{}, err
	}
	return s.store.Project(ctx, who, id)
}

// Projects returns a page of projects: all, or those that the caller may see one by one.
func (s *Service) Projects(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Project], error) {
	err := s.gate.Allow(ctx, who, ProjectsRead)
	var only []uuid.UUID
	if denied := err; fault.Is(denied, fault.Forbidden) {
		if only, err = s.gate.Projects(ctx, who, ProjectsRead); err == nil && len(only) == 0 {
			err = denied
		}
	}
	if err != nil {
		return page.Result[Project]{}, err
	}
	return s.store.Projects(ctx, who, only, r)
}

// ChangeProject applies p to the project's given version.
func (s *Service) ChangeProject(ctx context.Context, who identity.Caller, id uuid.UUID, version int64, p ProjectPatch) (Project, error) {
	if err := s.gate.AllowIn(ctx, who, ProjectsWrite, id); err != nil {
		return Project{}, err
	}
	before, err := s.store.Project(ctx, who, id)
	if err != nil {
		return Project{}, err
	}
	if before.Version != version && who.Request.Once == nil {
		return Project{}, Stale()
	}
	before.Version = version
	after, err := p.to(before, s.now())
	if err != nil {
		return Project{}, err
	}
	return s.store.ChangeProject(ctx, who, after)
}

// DeleteProject deletes the project's given version with its tasks.
func (s *Service) DeleteProject(ctx context.Context, who identity.Caller, id uuid.UUID, version int64) error {
	if err := s.gate.AllowIn(ctx, who, ProjectsWrite, id); err != nil {
		return err
	}
	return s.store.DeleteProject(ctx, who, id, version)
}

// AddMember adds a person to those who work on a project.
func (s *Service) AddMember(ctx context.Context, who identity.Caller, project, user uuid.UUID) error {
	if err := s.gate.AllowIn(ctx, who, ProjectsWrite, project); err != nil {
		return err
	}
	return s.store.AddMember(ctx, who, project, Member{UserID: user, AddedAt: s.now(), AddedBy: who.Subject()})
}

// RemoveMember takes a person from them.
func (s *Service) RemoveMember(ctx context.Context, who identity.Caller, project, user uuid.UUID) error {
	if err := s.gate.AllowIn(ctx, who, ProjectsWrite, project); err != nil {
		return err
	}
	return s.store.RemoveMember(ctx, who, project, user)
}

// Members returns a page of them.
func (s *Service) Members(ctx context.Context, who identity.Caller, project uuid.UUID, r page.Request) (page.Result[Member], error) {
	if err := s.gate.AllowIn(ctx, who, ProjectsRead, project); err != nil {
		return page.Result[Member]{}, err
	}
	return s.store.Members(ctx, who, project, r)
}
