package task

import (
	"context"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// inProject returns what read reads, if who may p everywhere or in its project.
// Who may not is told so whether there is such a thing or not.
func inProject[T any](ctx context.Context, s *Service, who identity.Caller, p access.Permission, read func() (T, error), project func(T) uuid.UUID) (T, error) {
	var none T
	denied := s.gate.Allow(ctx, who, p)
	if denied != nil && !fault.Is(denied, fault.Forbidden) {
		return none, denied
	}
	got, err := read()
	switch {
	case denied == nil:
		return got, err
	case fault.Is(err, fault.NotFound):
		return none, denied
	case err != nil:
		return none, err
	}
	if err := s.gate.AllowIn(ctx, who, p, project(got)); err != nil {
		return none, err
	}
	return got, nil
}

// allowTask asks whether who may p with a task, in the trash or not. For those
// alone who may not everywhere it has to find the task; a task never leaves its
// project.
func (s *Service) allowTask(ctx context.Context, who identity.Caller, p access.Permission, id uuid.UUID) error {
	denied := s.gate.Allow(ctx, who, p)
	if !fault.Is(denied, fault.Forbidden) {
		return denied
	}
	at, err := s.store.Places(ctx, who, []uuid.UUID{id})
	if err != nil {
		return err
	}
	return s.gate.AllowIn(ctx, who, p, at[id])
}

func (s *Service) readTask(ctx context.Context, who identity.Caller, p access.Permission, id uuid.UUID) (Task, error) {
	return inProject(ctx, s, who, p, func() (Task, error) { return s.store.Task(ctx, who, id) }, func(t Task) uuid.UUID { return t.ProjectID })
}

func (s *Service) allowImport(ctx context.Context, who identity.Caller, p access.Permission, id uuid.UUID) error {
	if err := s.gate.Allow(ctx, who, p); !fault.Is(err, fault.Forbidden) {
		return err
	}
	_, err := s.readImport(ctx, who, p, id)
	return err
}

func (s *Service) readImport(ctx context.Context, who identity.Caller, p access.Permission, id uuid.UUID) (Import, error) {
	return inProject(ctx, s, who, p, func() (Import, error) { return s.store.Import(ctx, who, id) }, func(im Import) uuid.UUID { return im.ProjectID })
}
