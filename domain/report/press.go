package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// Beat is how often what makes a file notes its progress and looks whether the
// file is still wanted.
const Beat = time.Second

// Press makes the files of runs. Each of its steps can be repeated.
type Press struct {
	Journal   Journal
	Source    Source
	Renderers map[Format]Renderer
	Files     Files
}

// Plan begins the run, and removes what an attempt that was killed has left.
func (p *Press) Plan(ctx context.Context, tenant identity.TenantID, id uuid.UUID) error {
	r, err := p.Journal.Begin(ctx, tenant, id, now())
	if err != nil {
		return err
	}
	if p.Renderers[r.Format] == nil {
		return fault.New(fault.Invalid, "unknown_format", "no report can be made in this format")
	}
	return p.Files.Sweep(ctx, tenant, id, uuid.Nil)
}

// Made is a file that nobody was told of yet.
type Made struct {
	Object uuid.UUID
	Stored
	Rows     int64
	Replaced int64 // characters that the format could not show
}

// Render makes the file. Every Beat it notes the progress, calls beat, and
// stops if the run is over. Why an attempt failed is noted for people to read.
func (p *Press) Render(ctx context.Context, tenant identity.TenantID, id uuid.UUID, beat func(rows int64)) (Made, error) {
	r, err := p.Journal.Begin(ctx, tenant, id, now())
	if err != nil {
		return Made{}, err
	}
	made := Made{Object: uuid.Must(uuid.NewV7())}
	var rows atomic.Int64
	caller := ctx
	ctx, stop := context.WithCancelCause(caller)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.watch(ctx, stop, tenant, id, func() int64 { beat(rows.Load()); return rows.Load() })
	}()
	made.Stored, err = p.Files.Write(ctx, Place{tenant, id, made.Object}, r.Format.MediaType(), func(w io.Writer) error {
		last := ""
		d := r.document(ctx, tenant, p.Source, now(), func(key string) { last = key; rows.Add(1) })
		d.Replaced = func(characters int64) { made.Replaced = characters }
		return named(last, p.render(ctx, w, r.Format, d))
	})
	if made.Rows = rows.Load(); err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // why it was stopped says more than what that broke
	}
	if err == nil {
		err = p.late(ctx, tenant, id)
	}
	stop(nil)
	<-watched
	if err != nil && !IsOver(err) && caller.Err() == nil { // who was told to stop has not failed
		p.excuse(ctx, tenant, id, made.Rows, err)
	}
	return made, err
}

// late removes a file that was written when the run was over, and returns
// ErrOver then: whoever swept the run's files did not see this one. A database
// that does not answer must not cost the file.
func (p *Press) late(ctx context.Context, tenant identity.TenantID, id uuid.UUID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*Beat)
	defer cancel()
	r, err := p.Journal.Read(ctx, tenant, id)
	if err == nil && r.Status.Over() {
		return errors.Join(ErrOver(), p.Files.Sweep(ctx, tenant, id, r.object()))
	}
	return nil
}

// render makes a panic of a library an error of this run: one odd character
// must not take a worker down.
func (p *Press) render(ctx context.Context, w io.Writer, f Format, d Document) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fault.Wrap(fault.Invalid, "not_renderable", "something in these tasks cannot be shown in this format", fmt.Errorf("panic: %v", v))
		}
	}()
	return p.Renderers[f].Render(ctx, w, d)
}

// named lets a failure at a task's row say which task that is.
func named(key string, err error) error {
	f := fault.As(err)
	if f == nil || f.Code != CellTooLong {
		return err
	}
	return fault.New(f.Kind, f.Code, key+": "+f.Message)
}

func (p *Press) watch(ctx context.Context, stop context.CancelCauseFunc, tenant identity.TenantID, id uuid.UUID, rows func() int64) {
	tick := time.NewTicker(Beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := p.advance(ctx, tenant, id, rows(), nil); IsOver(err) || fault.Is(err, fault.NotFound) {
			stop(err)
		}
	}
}

// advance gives up soon: a database that does not answer must not stop the heart.
func (p *Press) advance(ctx context.Context, tenant identity.TenantID, id uuid.UUID, rows int64, why *RunFailure) error {
	ctx, cancel := context.WithTimeout(ctx, 2*Beat)
	defer cancel()
	return p.Journal.Advance(ctx, tenant, id, rows, why, now())
}

func (p *Press) excuse(ctx context.Context, tenant identity.TenantID, id uuid.UUID, rows int64, err error) {
	var f *fault.Error
	if !errors.As(err, &f) {
		f = fault.New(fault.Internal, "internal", "something went wrong on our side")
	}
	_ = p.advance(context.WithoutCancel(ctx), tenant, id, rows, &RunFailure{f.Code, f.Message}) // the error itself tells, too
}

// Finish tells everybody of the file, and removes any other of the run.
func (p *Press) Finish(ctx context.Context, tenant identity.TenantID, id uuid.UUID, m Made) error {
	r, err := p.Journal.Read(ctx, tenant, id)
	if err != nil {
		return err
	}
	f := RunFile{Name: r.fileName(), MediaType: r.Format.MediaType(), Size: m.Size, Replaced: m.Replaced, Digest: m.Digest, Object: m.Object}
	if err := p.Journal.Finish(ctx, tenant, id, f, m.Rows, now()); err != nil {
		return err
	}
	return p.Files.Sweep(ctx, tenant, id, m.Object)
}

// Discard removes what there is of the run's file, but not the file of a run
// that has succeeded all the same.
func (p *Press) Discard(ctx context.Context, tenant identity.TenantID, id uuid.UUID) error {
	r, err := p.Journal.Read(ctx, tenant, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return p.Files.Sweep(ctx, tenant, id, r.object())
}

// Fail ends the run and says why.
func (p *Press) Fail(ctx context.Context, tenant identity.TenantID, id uuid.UUID, why RunFailure) error {
	return p.Journal.End(ctx, tenant, id, Failed, &why, now())
}

// Cancel ends the run because somebody wanted it so.
func (p *Press) Cancel(ctx context.Context, tenant identity.TenantID, id uuid.UUID) error {
	return p.Journal.End(ctx, tenant, id, Cancelled, nil, now())
}

// Purge drops some of the runs that were over before then, each after its file,
// and returns how many; to repeat it is to go on. Why one stays is told when none
// can be dropped any more.
func Purge(ctx context.Context, q Queue, f Files, then time.Time) (n int64, err error) {
	old, err := q.Old(ctx, then)
	failed := []error{err}
	for _, r := range old {
		err := f.Sweep(ctx, r.TenantID, r.ID, uuid.Nil)
		if err == nil {
			err = q.Drop(ctx, r)
		}
		if err == nil {
			n++
		}
		failed = append(failed, err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, errors.Join(failed...)
}

// Reconcile begins what is due: what Temporal could not be told of when it was
// asked for. What fails is due again soon.
func Reconcile(ctx context.Context, q Queue, g Generation) error {
	due, err := q.Take(ctx, now())
	failed := []error{err}
	for _, d := range due {
		failed = append(failed, g.Begin(ctx, d))
	}
	return errors.Join(failed...)
}
