package reportsdb

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
)

const (
	live = ` where tenant_id = $1 and id = $2 and status in ('pending', 'running') returning ` + columns

	beginRun   = `update runs set status = 'running', rows_done = 0, updated_at = $3, due_at = $4, version = version + 1` + live
	advanceRun = `update runs set rows_done = $5, failure_code = coalesce($6, failure_code), failure_reason = coalesce($7, failure_reason),
		updated_at = $3, due_at = $4, version = version + 1` + live
	finishRun = `update runs set status = 'succeeded', rows_done = $4, rows_total = $4, failure_code = null, failure_reason = null,
		file_object = $5, file_name = $6, file_type = $7, file_size = $8, file_digest = $9, file_replaced = $10,
		updated_at = $3, finished_at = $3, due_at = null, version = version + 1` + live
	endRun = `update runs set status = $4, failure_code = $5, failure_reason = $6,
		updated_at = $3, finished_at = $3, due_at = null, version = version + 1` + live
)

// change changes a run that is not over. It returns the run as it is then, or
// why nothing was changed.
func (s *Store) change(ctx context.Context, tenant identity.TenantID, id uuid.UUID, sql string, args ...any) (report.Run, error) {
	r, found, err := s.one(ctx, tenant, sql, append([]any{tenant, id}, args...)...)
	if err == nil && !found {
		if r, err = s.Read(ctx, tenant, id); err == nil {
			err = report.ErrOver()
		}
	}
	return r, err
}

// Begin implements report.Journal.
func (s *Store) Begin(ctx context.Context, tenant identity.TenantID, id uuid.UUID, at time.Time) (report.Run, error) {
	return s.change(ctx, tenant, id, beginRun, at, at.Add(report.Silence))
}

// Advance implements report.Journal.
func (s *Store) Advance(ctx context.Context, tenant identity.TenantID, id uuid.UUID, rows int64, why *report.RunFailure, at time.Time) error {
	code, reason := parts(why)
	_, err := s.change(ctx, tenant, id, advanceRun, at, at.Add(report.Silence), rows, code, reason)
	return err
}

// Finish implements report.Journal.
func (s *Store) Finish(ctx context.Context, tenant identity.TenantID, id uuid.UUID, f report.RunFile, rows int64, at time.Time) error {
	r, err := s.change(ctx, tenant, id, finishRun, at, rows, f.Object, f.Name, f.MediaType, f.Size, f.Digest, f.Replaced)
	if report.IsOver(err) && r.File != nil && r.File.Object == f.Object {
		return nil // this step was done, and its answer lost
	}
	return err
}

// End implements report.Journal.
func (s *Store) End(ctx context.Context, tenant identity.TenantID, id uuid.UUID, status report.Status, why *report.RunFailure, at time.Time) error {
	code, reason := parts(why)
	_, err := s.change(ctx, tenant, id, endRun, at, status, code, reason)
	if report.IsOver(err) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
