// Package reportsdb keeps the reports service's rows in PostgreSQL.
package reportsdb

import (
	"embed"
	"io/fs"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/report"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations make and change the schema.
var Migrations = must(fs.Sub(embedded, "migrations"))

// Store implements report.Store and report.Journal.
type Store struct{ db *postgres.DB }

var (
	_ report.Store   = (*Store)(nil)
	_ report.Journal = (*Store)(nil)
)

// New returns the store in db, which is connected as reports_app.
func New(db *postgres.DB) *Store { return &Store{db} }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return v
}
