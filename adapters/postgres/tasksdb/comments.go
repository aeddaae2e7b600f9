package tasksdb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/task"
)

const (
	commentColumns = `id, task_id, body, author, created_at`
	insertComment  = `with changed as (insert into task_comments (tenant_id, ` + commentColumns + `)
		select $1, $2, t.id, $4, $5, $6 from tasks t join projects p on p.tenant_id = $1 and p.id = t.project_id and p.deleted_at is null
		where t.tenant_id = $1 and t.id = $3 and t.deleted_at is null returning ` + commentColumns + `)`
)

// AddComment implements task.Store.
func (s *Store) AddComment(ctx context.Context, who identity.Caller, c task.Comment) (task.Comment, error) {
	got, found, err := postgres.Returning[task.Comment](ctx, s.db, who, insertComment, commentColumns, who.Tenant, c.ID, c.TaskID, c.Body, c.Author, c.CreatedAt)
	if err == nil && !found {
		err = notFound()
	}
	return got, err
}

const selectComments = `select ` + commentColumns + ` from task_comments
	where tenant_id = $1 and task_id = $2 and (created_at, id) > ($3, $4) order by created_at, id limit $5`

// Comments implements task.Store.
func (s *Store) Comments(ctx context.Context, who identity.Caller, id uuid.UUID, r page.Request) (page.Result[task.Comment], error) {
	var rows []task.Comment
	var tasks int64
	err := s.db.Tenant(ctx, who.Tenant, func(b *pgx.Batch) {
		postgres.Affected(b, &tasks, selectTask, who.Tenant, id)
		postgres.Many(b, &rows, selectComments, who.Tenant, id, r.After.At, r.After.ID, r.Limit+1)
	})
	if err == nil && tasks == 0 {
		err = notFound()
	}
	return page.Cut(rows, r.Limit, func(c task.Comment) page.Key { return page.Key{At: c.CreatedAt, ID: c.ID} }), err
}
