package tasksdb

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

const selectHistory = `select version, at, actor, request_id, fields from task_changes
	where tenant_id = $1 and task_id = $2 and version > $3 order by version limit $4`

// History implements task.Store. A page goes on after a version, which its key
// holds as microseconds.
func (s *Store) History(ctx context.Context, who identity.Caller, id uuid.UUID, r page.Request) (page.Result[task.Change], error) {
	var rows []task.Change
	var tasks int64
	after := int64(0)
	if !r.After.At.IsZero() {
		after = r.After.At.UnixMicro()
	}
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		postgres.Affected(b, &tasks, selectAnyTask, who.Tenant, id)
		postgres.Many(b, &rows, selectHistory, who.Tenant, id, after, r.Limit+1)
	})
	if err == nil && tasks == 0 {
		err = notFound()
	}
	for _, c := range rows {
		zulu(c.Fields)
	}
	return page.Cut(rows, r.Limit, func(c task.Change) page.Key { return page.Key{At: time.UnixMicro(c.Version), ID: id} }), err
}

// zulu tells times as tasks do; those that a statement has noted end in +00:00.
func zulu(fields []task.FieldChange) {
	for i, f := range fields {
		if strings.HasSuffix(f.Field, "_at") {
			fields[i].Before = bytes.Replace(f.Before, []byte(`+00:00"`), []byte(`Z"`), 1)
			fields[i].After = bytes.Replace(f.After, []byte(`+00:00"`), []byte(`Z"`), 1)
		}
	}
}
