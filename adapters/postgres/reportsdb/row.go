package reportsdb

import (
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/report"
)

const columns = `id, report, format, title, filter_project, filter_status, status, rows_done, rows_total,
	file_object, file_name, file_type, file_size, file_digest, file_replaced, failure_code, failure_reason,
	version, created_at, created_by, updated_at, finished_at`

// row is a run as the table holds it.
type row struct {
	ID                         uuid.UUID
	Report, Title              string
	Format                     report.Format
	FilterProject              *uuid.UUID
	FilterStatus               string
	Status                     report.Status
	RowsDone                   int64
	RowsTotal                  *int64
	FileObject                 *uuid.UUID
	FileName, FileType         *string
	FileSize                   *int64
	FileDigest                 *string
	FileReplaced               int64
	FailureCode, FailureReason *string
	Version                    int64
	CreatedAt                  time.Time
	CreatedBy                  string
	UpdatedAt                  time.Time
	FinishedAt                 *time.Time
}

func (r row) run() report.Run {
	run := report.Run{
		ID: r.ID, Report: r.Report, Format: r.Format, Title: r.Title, Filter: report.RunFilter{ProjectID: r.FilterProject, Status: r.FilterStatus},
		Status: r.Status, Progress: report.RunProgress{RowsDone: r.RowsDone, RowsTotal: r.RowsTotal},
		Version: r.Version, CreatedAt: r.CreatedAt, CreatedBy: r.CreatedBy, UpdatedAt: r.UpdatedAt, FinishedAt: r.FinishedAt,
	}
	if r.FileObject != nil {
		run.File = &report.RunFile{Object: *r.FileObject, Name: *r.FileName, MediaType: *r.FileType, Size: *r.FileSize, Digest: *r.FileDigest, Replaced: r.FileReplaced}
	}
	if r.FailureCode != nil {
		run.Failure = &report.RunFailure{Code: *r.FailureCode, Message: *r.FailureReason}
	}
	return run
}

// parts returns the columns of an optional failure.
func parts(why *report.RunFailure) (code, message *string) {
	if why == nil {
		return nil, nil
	}
	return &why.Code, &why.Message
}
