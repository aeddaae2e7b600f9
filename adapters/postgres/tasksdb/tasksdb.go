// Package tasksdb keeps the tasks service's rows in PostgreSQL.
package tasksdb

import (
	"embed"

	"golang.org/x/sync/semaphore"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/task"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations make and change the schema.
var Migrations = postgres.Folder(embedded)

// Store implements task.Store.
type Store struct {
	db      *postgres.DB
	exports *semaphore.Weighted
}

var _ task.Store = (*Store)(nil)

// New returns the store in db, which is connected as tasks_app. Half of its
// connections serve exports, whose clients read as slowly as they like.
func New(db *postgres.DB) *Store {
	return &Store{db, semaphore.NewWeighted(int64(max(1, db.Connections()/2)))}
}
