package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

// Store keeps the runs of all tenants, each behind its own wall: another
// tenant's run is one that does not exist. A write that the caller's request
// makes once returns the first answer when it is repeated.
type Store interface {
	// Add stores r. It returns ErrTooMany when MaxUnfinished runs of the tenant
	// are not over; of many that ask at once none gets beyond that.
	Add(ctx context.Context, who identity.Caller, r Run) (Run, error)
	// Run returns a run, or fault.NotFound.
	Run(ctx context.Context, who identity.Caller, id uuid.UUID) (Run, error)
	// Runs returns a page of runs, oldest first.
	Runs(ctx context.Context, who identity.Caller, r page.Request) (page.Result[Run], error)
	// Cancel ends a run that is not over; one that is cancelled stays so. It
	// returns fault.NotFound, or fault.Conflict when the run is over otherwise.
	Cancel(ctx context.Context, who identity.Caller, id uuid.UUID, at time.Time) (Run, error)
}

// Journal is where the making of a file notes how far it is. A step noted
// again changes nothing. Begin, Advance and Finish return fault.NotFound, or
// ErrOver when the run is over meanwhile: then nobody wants the file.
type Journal interface {
	// Read returns the run, or fault.NotFound.
	Read(ctx context.Context, tenant identity.TenantID, id uuid.UUID) (Run, error)
	// Begin makes the run a running one that has done nothing yet.
	Begin(ctx context.Context, tenant identity.TenantID, id uuid.UUID, at time.Time) (Run, error)
	// Advance notes how many rows are done and, unless it is nil, why the last
	// attempt failed.
	Advance(ctx context.Context, tenant identity.TenantID, id uuid.UUID, rows int64, why *RunFailure, at time.Time) error
	// Finish notes the file; the very same file again is no error.
	Finish(ctx context.Context, tenant identity.TenantID, id uuid.UUID, f RunFile, rows int64, at time.Time) error
	// End makes a run that is not over a failed or a cancelled one, else it does nothing.
	End(ctx context.Context, tenant identity.TenantID, id uuid.UUID, s Status, why *RunFailure, at time.Time) error
}

// Due is a run that should be under way.
type Due struct {
	TenantID identity.TenantID
	ID       uuid.UUID
	Format   Format
}

// RunID is which run it is among those of all tenants.
type RunID struct {
	TenantID identity.TenantID
	ID       uuid.UUID
}

// Queue finds runs over all tenants.
type Queue interface {
	// Take returns runs of which nothing was heard when it was time to, and
	// notes when to look again. Of two that ask at once each gets other runs.
	Take(ctx context.Context, at time.Time) ([]Due, error)
	// Old returns some of the runs that were over before then.
	Old(ctx context.Context, then time.Time) ([]RunID, error)
	// Drop drops a run that is over; one that is gone is no error.
	Drop(ctx context.Context, r RunID) error
}

// Generation makes files, however long it takes.
type Generation interface {
	// Begin begins to make the run's file, or finds it begun. It returns
	// fault.Unavailable when nobody answers.
	Begin(ctx context.Context, d Due) error
	// Cancel asks it to stop; what has ended is no error.
	Cancel(ctx context.Context, tenant identity.TenantID, id uuid.UUID) error
}

// Source is where tasks come from.
type Source interface {
	// Tasks returns the tasks that f chooses page by page, oldest first. It
	// ends after the first error.
	Tasks(ctx context.Context, tenant identity.TenantID, f task.Filter) iter.Seq2[[]task.Task, error]
	// Count returns how many tasks f chooses.
	Count(ctx context.Context, tenant identity.TenantID, f task.Filter) (int64, error)
	// HasProject returns nil, or fault.NotFound when the tenant has no such project.
	HasProject(ctx context.Context, tenant identity.TenantID, project uuid.UUID) error
}

// CellTooLong is the code of a Renderer's failure when the row that it was
// handed last holds more than a cell can: whoever knows the task names it.
const CellTooLong = "cell_too_long"

// Renderer makes files of one format.
type Renderer interface {
	// Render writes d to w, with no more memory for many rows than for few. It
	// returns fault.Invalid when the format cannot hold what is in d.
	Render(ctx context.Context, w io.Writer, d Document) error
}

// Place is where a file lies; each attempt to make it has an Object of its own.
type Place struct {
	Tenant identity.TenantID
	Run    uuid.UUID
	Object uuid.UUID
}

// Stored is what was written.
type Stored struct {
	Size   int64
	Digest string // SHA-256 in hexadecimal
}

// Files keeps files.
type Files interface {
	// Write stores what content writes. Nobody sees the file before it is
	// whole, and there is none when content fails. It returns
	// fault.Unavailable when there is no room.
	Write(ctx context.Context, at Place, mediaType string, content func(w io.Writer) error) (Stored, error)
	// Open returns a file, or fault.NotFound.
	Open(ctx context.Context, at Place) (io.ReadSeekCloser, error)
	// Sweep removes every file of the run but keep's, and what attempts that
	// were killed left of theirs.
	Sweep(ctx context.Context, tenant identity.TenantID, run, keep uuid.UUID) error
}

// Over is the code of ErrOver.
const Over = "run_is_over"

// ErrOver tells whoever makes a run's file that the run is over.
func ErrOver() error { return fault.New(fault.Conflict, Over, "the run is over") }

// IsOver reports whether err is ErrOver.
func IsOver(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == Over
}

// Retention is how long a run that is over is kept, with its file.
const Retention = 30 * 24 * time.Hour

// MaxUnfinished bounds the runs of a tenant that are not over.
const MaxUnfinished = 100

// ErrTooMany tells who asks for a run that there are MaxUnfinished.
func ErrTooMany() error {
	return fault.New(fault.Conflict, "too_many_runs", fmt.Sprintf("%d runs are not over: wait for one, or cancel one", MaxUnfinished))
}

// When a run is looked after.
const (
	Grace   = 3 * time.Second  // what was asked for has begun by then, or is begun again
	Again   = 15 * time.Second // between two tries to begin it
	Silence = 10 * time.Minute // nothing was heard of a running one: perhaps Temporal has lost it
)
