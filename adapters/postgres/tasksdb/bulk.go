package tasksdb

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

const shown = ` select ` + taskColumns + ` from changed`

// errSome rolls a bulk back of which a part was refused.
var errSome = fault.New(fault.Conflict, "not_all", "not all of it can be done")

// Bulk implements task.Store. No statement of a write fails on what it does
// not like: it finds no row, so that the others go on.
func (s *Store) Bulk(ctx context.Context, who identity.Caller, writes []task.Write, all bool) ([]task.Outcome, error) {
	out, err := postgres.Once(ctx, s.db, who, func(tx pgx.Tx) ([]task.Outcome, error) {
		out, err := writeIn(ctx, tx, who, writes)
		if err == nil && all && slices.ContainsFunc(out, func(o task.Outcome) bool { return o.Fault != nil }) {
			err = errSome
		}
		return out, err
	})
	if errors.Is(err, errSome) {
		for i := range out {
			out[i].Task = nil
		}
		err = nil
	}
	return out, err
}

// writeIn does the writes that can be done, and says of the others why not. Those
// that may bear on one another go one after the other: why one was refused is
// asked after the batch, and what comes later must not have changed it.
func writeIn(ctx context.Context, tx pgx.Tx, who identity.Caller, writes []task.Write) (out []task.Outcome, err error) {
	for len(writes) > 0 && err == nil {
		n := apart(writes)
		var some []task.Outcome
		some, err = writeBatch(ctx, tx, who, writes[:n])
		out, writes = append(out, some...), writes[n:]
	}
	return out, err
}

// apart returns how many writes come before the first that changes a task which
// one of them names.
func apart(writes []task.Write) int {
	named := map[uuid.UUID]bool{}
	for i, w := range writes {
		var id uuid.UUID
		var parent *uuid.UUID
		switch {
		case w.Add != nil:
			id, parent = w.Add.ID, w.Add.ParentID
		case w.Change != nil:
			id, parent = w.Change.ID, &w.Change.Patch.ParentID.To
		default:
			id = w.Delete.ID
		}
		if named[id] {
			return i
		}
		named[id] = true
		if parent != nil {
			named[*parent] = true
		}
	}
	return len(writes)
}

func writeBatch(ctx context.Context, tx pgx.Tx, who identity.Caller, writes []task.Write) ([]task.Outcome, error) {
	out, tasks, found := make([]task.Outcome, len(writes)), make([]task.Task, len(writes)), make([]bool, len(writes))
	b := &pgx.Batch{}
	for i, w := range writes {
		sql, args, err := statement(who, w)
		if err != nil {
			return nil, err
		}
		if w.Change != nil {
			for _, lock := range locks(w.Change.Patch) {
				b.Queue(lock, who.Tenant, w.Change.ID)
			}
		}
		postgres.One(b, &tasks[i], &found[i], sql+shown, args...)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	l := within(ctx, tx, who)
	for i, w := range writes {
		if found[i] {
			out[i].Task = &tasks[i]
			continue
		}
		err := l.why(w)
		if out[i].Fault = fault.As(err); out[i].Fault == nil {
			return nil, err
		}
	}
	return out, nil
}

func statement(who identity.Caller, w task.Write) (sql string, args []any, err error) {
	switch {
	case w.Add != nil:
		args, err = addArgs(who, *w.Add)
		return insertTask, args, err
	case w.Change != nil:
		args, err = changeArgs(who, *w.Change, w.At)
		return updateTask, args, err
	}
	return trashTask, trashArgs(who, *w.Delete, &w.At, w.At), nil
}

func within(ctx context.Context, tx pgx.Tx, who identity.Caller) look {
	return look{
		func(id uuid.UUID) (task.Task, error) { return oneIn[task.Task](ctx, tx, who, selectAnyTask, id) },
		func(id uuid.UUID) (task.Project, error) {
			return oneIn[task.Project](ctx, tx, who, selectProject, id)
		},
	}
}

func oneIn[T any](ctx context.Context, tx pgx.Tx, who identity.Caller, sql string, id uuid.UUID) (v T, err error) {
	rows, err := tx.Query(ctx, sql, who.Tenant, id)
	if err != nil {
		return v, err
	}
	v, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[T])
	if errors.Is(err, pgx.ErrNoRows) {
		err = notFound()
	}
	return v, err
}

func (l look) why(w task.Write) error {
	switch {
	case w.Add != nil:
		return l.whyNotAdded(*w.Add)
	case w.Change != nil:
		return l.whyNotChanged(*w.Change, w.At)
	}
	return l.whyNotTrashed(*w.Delete, false)
}
