package tasksdb

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/task"
)

// Trash implements task.Trash as the system role, whose policy shows it the
// trash of every tenant and nothing else.
type Trash struct{ db *postgres.DB }

var _ task.Trash = Trash{}

// NewTrash returns the trash in db, which is connected as tasks_system.
func NewTrash(db *postgres.DB) Trash { return Trash{db} }

// purgeTrash takes few rows at a time, for each takes its comments and its
// history along.
const purgeTrash = `delete from tasks t using (select tenant_id, id from tasks where deleted_at < $1 limit 1000) old
	where t.tenant_id = old.tenant_id and t.id = old.id`

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
