package tasksdb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/task"
)

// Trash implements task.Trash as the system role, which can read no more of
// tasks than what is a part of which, and drop no more than the trash and what
// was in deleted projects.
type Trash struct{ db *postgres.DB }

var _ task.Trash = Trash{}

// NewTrash returns the trash in db, which is connected as tasks_system.
func NewTrash(db *postgres.DB) Trash { return Trash{db} }

// purgeTrash takes few rows at a time, for each takes its comments and its
// history along. What was a part of one is told that it no longer is.
const purgeTrash = `with old as (select tenant_id, id from tasks where deleted_at < $1 limit 1000 for update skip locked),
	freed as (update tasks t set parent_id = null, version = t.version + 1, updated_at = now() from old
		where t.tenant_id = old.tenant_id and t.parent_id = old.id and not exists (select from old o where o.tenant_id = t.tenant_id and o.id = t.id)
		returning t.tenant_id, t.id, t.version, t.updated_at, old.id as parent),
	history as (insert into task_changes (tenant_id, task_id, version, at, actor, request_id, fields)
		select tenant_id, id, version, updated_at, 'schedule:purge-trash', '', jsonb_build_array(jsonb_build_object('field', 'parent_id', 'before', parent, 'after', null)) from freed)
	delete from tasks t using old where t.tenant_id = old.tenant_id and t.id = old.id`

// purgeImports drops what an import left: how it went, and the rows refused.
const purgeImports = `delete from task_imports i using (select tenant_id, id from task_imports where finished_at < $1 limit 10) old
	where i.tenant_id = old.tenant_id and i.id = old.id`

// PurgeTrash implements task.Trash.
func (t Trash) PurgeTrash(ctx context.Context, then time.Time) (n int64, err error) {
	var imports int64
	err = t.db.System(ctx, func(b *pgx.Batch) {
		postgres.Affected(b, &n, purgeTrash, then)
		postgres.Affected(b, &imports, purgeImports, then)
	})
	return n + imports, err
}

const (
	// asService has PostgreSQL read in the order of an index, as it does for the
	// service: a part would be found by reading all that is left.
	asService   = `select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`
	nextDeleted = `select tenant_id, id from projects where deleted_at is not null limit 1 for update skip locked`
	dropTasks   = `delete from tasks where tenant_id = $1 and id = any (array(
		select id from tasks where tenant_id = $1 and project_id = $2 order by created_at, id limit 1000))`
	dropImports = `delete from task_imports where tenant_id = $1 and id = any (array(
		select id from task_imports where tenant_id = $1 and project_id = $2 limit 10))`
	dropProject = `delete from projects where tenant_id = $1 and id = $2`
)

// DropProjects drops for good, part by part, what was in deleted projects of all
// tenants, and then the projects, whose keys are free with that.
func (t Trash) DropProjects(ctx context.Context) error {
	for more := true; more; {
		err := t.db.SystemTx(ctx, func(tx pgx.Tx) (err error) {
			more, err = dropPart(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dropPart reports whether there was anything to drop.
func dropPart(ctx context.Context, tx pgx.Tx) (found bool, err error) {
	var project struct{ TenantID, ID uuid.UUID }
	b := &pgx.Batch{}
	b.Queue(asService)
	postgres.One(b, &project, &found, nextDeleted)
	if err := tx.SendBatch(ctx, b).Close(); err != nil || !found {
		return false, err
	}
	var tasks, imports int64
	b = &pgx.Batch{}
	postgres.Affected(b, &tasks, dropTasks, project.TenantID, project.ID)
	postgres.Affected(b, &imports, dropImports, project.TenantID, project.ID)
	if err := tx.SendBatch(ctx, b).Close(); err != nil || tasks+imports > 0 {
		return true, err
	}
	_, err = tx.Exec(ctx, dropProject, project.TenantID, project.ID)
	return true, err
}
