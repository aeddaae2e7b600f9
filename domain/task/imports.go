package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Bounds of an import.
const (
	MaxImport     = 16 << 20 // bytes
	MaxImportRows = 100_000
)

// ImportStatus is where an import stands.
type ImportStatus string

// The statuses; the last three are final.
const (
	ImportPending   ImportStatus = "pending"
	ImportRunning   ImportStatus = "running"
	ImportSucceeded ImportStatus = "succeeded"
	ImportFailed    ImportStatus = "failed"
	ImportCancelled ImportStatus = "cancelled"
)

// Over reports whether nothing will happen to the import any more.
func (s ImportStatus) Over() bool { return s != ImportPending && s != ImportRunning }

// Import is the reading of one CSV file into a project.
type Import struct {
	ID          uuid.UUID    `json:"id" format:"uuid" doc:"UUIDv7" example:"0199a1b2-c3d4-7e5f-8a6b-000000000007"`
	ProjectID   uuid.UUID    `json:"project_id" format:"uuid" example:"0199a1b2-c3d4-7e5f-8a6b-000000000001"`
	Status      ImportStatus `json:"status" enum:"pending,running,succeeded,failed,cancelled" doc:"It succeeds when every row was tried, also when some were refused" example:"succeeded"`
	RowsTotal   int64        `json:"rows_total" doc:"Rows of the file, without the header" example:"120"`
	RowsDone    int64        `json:"rows_done" doc:"Rows that were tried so far" example:"120"`
	RowsRefused int64        `json:"rows_refused" doc:"Rows of which no task was made: see the errors" example:"2"`
	FailureCode string       `json:"failure_code,omitempty" doc:"Why it failed" example:"internal"`
	Version     int64        `json:"version" doc:"Grows with each change; the ETag" example:"3"`
	CreatedAt   time.Time    `json:"created_at" example:"2026-01-31T12:00:00Z"`
	CreatedBy   string       `json:"created_by" doc:"user:<id> or client:<id>" example:"user:0199a1b2-c3d4-7e5f-8a6b-000000000009"`
	UpdatedAt   time.Time    `json:"updated_at" example:"2026-01-31T12:00:01Z"`
	FinishedAt  *time.Time   `json:"finished_at,omitempty" doc:"When it was over" example:"2026-01-31T12:00:02Z"`
}

// ImportError says why a row made no task.
type ImportError struct {
	Line   int64        `json:"line" doc:"Of the file, where the row begins; the header is line 1" example:"17"`
	Errors []ImportFlaw `json:"errors" nullable:"false" doc:"What is wrong"`
}

// ImportFlaw is one thing that is wrong with a row.
type ImportFlaw struct {
	Column  string `json:"column,omitempty" doc:"Where; absent: the whole row" example:"due_at"`
	Code    string `json:"code" doc:"Stable" example:"invalid_value"`
	Message string `json:"message" doc:"For people" example:"a time is RFC 3339, or a date"`
}

// Rows are a part of an import's file: From to To of its rows, from 0.
type Rows struct {
	From, To int64
	Good     []Row
	Bad      []ImportError
	At       time.Time
}

// Row is a task that a row asks for.
type Row struct {
	Line int64
	Task Task
}

// ImportID names an import over all tenants.
type ImportID struct {
	TenantID identity.TenantID
	ID       uuid.UUID
}

// MaxUnfinished bounds the imports of a tenant that are not over.
const MaxUnfinished = 100

// ErrTooManyImports tells that there are MaxUnfinished.
func ErrTooManyImports() error {
	return fault.New(fault.Conflict, "too_many_imports", fmt.Sprintf("%d imports are not over; wait for one, or cancel it", MaxUnfinished))
}

// Imports keeps imports, as Store keeps tasks.
type Imports interface {
	// AddImport stores im with its file. It returns fault.NotFound when there is no
	// such project, ErrArchived, and ErrTooManyImports when MaxUnfinished of the
	// tenant's are not over.
	AddImport(ctx context.Context, who identity.Caller, im Import, file []byte) (Import, error)
	// Import returns an import, or fault.NotFound.
	Import(ctx context.Context, who identity.Caller, id uuid.UUID) (Import, error)
	// Imports returns a page of imports, oldest first: those of a project or, if
	// that is uuid.Nil, all.
	Imports(ctx context.Context, who identity.Caller, project uuid.UUID, r page.Request) (page.Result[Import], error)
	// ImportErrors returns a page of the rows refused, in the file's order; fault.NotFound.
	ImportErrors(ctx context.Context, who identity.Caller, id uuid.UUID, r page.Request) (page.Result[ImportError], error)
	// EndImport makes an import that is not over a failed or a cancelled one and
	// drops its file. It returns fault.NotFound, or fault.Conflict when the
	// import is over in another way.
	EndImport(ctx context.Context, who identity.Caller, id uuid.UUID, s ImportStatus, code string, at time.Time) (Import, error)

	// OpenImport returns an import, with its file and the request that asked for
	// it. It returns fault.NotFound, or the import with ErrImportOver.
	OpenImport(ctx context.Context, id ImportID) (im Import, file []byte, request string, err error)
	// AddRows makes tasks of the good rows and notes why it does not of the
	// others, all as one change together with how far the import is; with the last
	// row it is over. It returns ErrImportOver, and fault.Unavailable when rows
	// is not what comes next.
	AddRows(ctx context.Context, id ImportID, request string, rows Rows) (Import, error)
}

// ImportQueue finds imports over all tenants.
type ImportQueue interface {
	// TakeImports returns imports of which nothing was heard when it was time to,
	// and notes when to look again. Of two that ask at once each gets others.
	TakeImports(ctx context.Context, at time.Time) ([]ImportID, error)
}

// When an import is looked after.
const (
	ImportAgain   = 15 * time.Second // between two tries to begin it
	ImportSilence = 10 * time.Minute // nothing was heard of a running one
)

// ErrImportOver tells whoever carries an import through that it is over.
func ErrImportOver() error {
	return fault.New(fault.Conflict, "import_is_over", "the import is over")
}

// StartImport stores a CSV file whose rows become tasks of project. That is
// all: whoever carries imports through finds it.
func (s *Service) StartImport(ctx context.Context, who identity.Caller, project uuid.UUID, file []byte) (Import, error) {
	if err := s.gate.AllowIn(ctx, who, TasksWrite, project); err != nil {
		return Import{}, err
	}
	n, err := countRows(file)
	if err != nil {
		return Import{}, err
	}
	at := s.now()
	return s.store.AddImport(ctx, who, Import{ID: newID(), ProjectID: project, Status: ImportPending, RowsTotal: n,
		Version: 1, CreatedAt: at, UpdatedAt: at, CreatedBy: who.Subject()}, file)
}

// GetImport returns one import.
func (s *Service) GetImport(ctx context.Context, who identity.Caller, id uuid.UUID) (Import, error) {
	return s.readImport(ctx, who, TasksRead, id)
}

// ListImports returns a page of imports: those of a project or, if that is
// uuid.Nil, all.
func (s *Service) ListImports(ctx context.Context, who identity.Caller, project uuid.UUID, r page.Request) (page.Result[Import], error) {
	if err := s.gate.AllowIn(ctx, who, TasksRead, project); err != nil {
		return page.Result[Import]{}, err
	}
	return s.store.Imports(ctx, who, project, r)
}

// ImportErrors returns a page of the rows of which no task was made.
func (s *Service) ImportErrors(ctx context.Context, who identity.Caller, id uuid.UUID, r page.Request) (page.Result[ImportError], error) {
	if err := s.allowImport(ctx, who, TasksRead, id); err != nil {
		return page.Result[ImportError]{}, err
	}
	return s.store.ImportErrors(ctx, who, id, r)
}

// CancelImport ends an import; the tasks that it has made stay.
func (s *Service) CancelImport(ctx context.Context, who identity.Caller, id uuid.UUID) (Import, error) {
	if err := s.allowImport(ctx, who, TasksWrite, id); err != nil {
		return Import{}, err
	}
	return s.store.EndImport(ctx, who, id, ImportCancelled, "", s.now())
}

// Importer carries imports through.
type Importer struct{ Imports Imports }

// Run makes tasks of the rows that are left, however often it is begun, and
// tells beat how far it is. After a batch that ends at until or later it leaves
// what there is more for another time. It returns ErrImportOver when nobody
// wants the rows any more.
func (i *Importer) Run(ctx context.Context, id ImportID, until time.Time, beat func(rows int64)) (more bool, err error) {
	im, file, request, err := i.Imports.OpenImport(ctx, id)
	if im.Status == ImportSucceeded {
		return false, nil // the last rows were done, and their answer lost
	}
	if err != nil {
		return false, err
	}
	s, err := openSheet(file)
	if err != nil {
		return false, err
	}
	s.skip(im.RowsDone)
	for !im.Status.Over() {
		if im, err = i.Imports.AddRows(ctx, id, request, s.rows(im)); err != nil {
			return false, err
		}
		beat(im.RowsDone)
		if !time.Now().Before(until) {
			break
		}
	}
	return !im.Status.Over(), nil
}

// Fail ends an import that cannot go on; one that is over stays as it is.
func (i *Importer) Fail(ctx context.Context, id ImportID, code string) error {
	return i.end(ctx, id, ImportFailed, code)
}

// Cancel ends an import that an operator has cancelled; one that is over stays as it is.
func (i *Importer) Cancel(ctx context.Context, id ImportID) error {
	return i.end(ctx, id, ImportCancelled, "")
}

func (i *Importer) end(ctx context.Context, id ImportID, s ImportStatus, code string) error {
	_, err := i.Imports.EndImport(ctx, identity.Caller{Tenant: id.TenantID}, id.ID, s, code, time.Now().UTC())
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// BeginImports has what is due begun, and returns the failures; what was not
// begun is due again a moment later.
func BeginImports(ctx context.Context, q ImportQueue, begin func(context.Context, ImportID) error) error {
	due, err := q.TakeImports(ctx, time.Now().UTC())
	for _, id := range due {
		err = errors.Join(err, begin(ctx, id))
	}
	return err
}
