package reporting

import (
	"context"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"

	"bailiwick.dev/domain/report"
	"bailiwick.dev/workflows/temporal"
)

// Activities are the steps, on the domain's Press. Each can be repeated: an
// attempt whose answer was lost changes nothing when it is made again.
type Activities struct{ Press *report.Press }

var a *Activities // names the methods in the workflow

// Made is a file that nobody was told of yet.
type Made struct {
	Object   uuid.UUID
	Size     int64
	Digest   string
	Rows     int64
	Replaced int64
}

// Plan begins the run.
func (a *Activities) Plan(ctx context.Context, in Input) error {
	return a.Press.Plan(ctx, in.TenantID, in.RunID)
}

// Render makes the file. A worker that is told to stop gives the step back at
// once, so that another begins it anew.
func (a *Activities) Render(ctx context.Context, in Input) (Made, error) {
	ctx, stop := temporal.UntilStopping(ctx)
	defer stop()
	activity.RecordHeartbeat(ctx, int64(0))
	m, err := a.Press.Render(ctx, in.TenantID, in.RunID, func(rows int64) { activity.RecordHeartbeat(ctx, rows) })
	return Made{Object: m.Object, Size: m.Size, Digest: m.Digest, Rows: m.Rows, Replaced: m.Replaced}, err
}

// Finish tells everybody of the file.
func (a *Activities) Finish(ctx context.Context, in Input, m Made) error {
	return a.Press.Finish(ctx, in.TenantID, in.RunID, report.Made{Object: m.Object, Stored: report.Stored{Size: m.Size, Digest: m.Digest}, Rows: m.Rows, Replaced: m.Replaced})
}

// Discard undoes Render.
func (a *Activities) Discard(ctx context.Context, in Input) error {
	return a.Press.Discard(ctx, in.TenantID, in.RunID)
}

// Fail ends the run and says why.
func (a *Activities) Fail(ctx context.Context, in Input, why report.RunFailure) error {
	return a.Press.Fail(ctx, in.TenantID, in.RunID, why)
}

// Cancel ends a run that an operator has cancelled.
func (a *Activities) Cancel(ctx context.Context, in Input) error {
	return a.Press.Cancel(ctx, in.TenantID, in.RunID)
}
