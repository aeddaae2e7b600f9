// Package reportsdb keeps the reports service's rows in PostgreSQL.
package reportsdb

import (
	"embed"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/report"
)

//go:embed migrations/*.sql
var embedded embed.FS

// Migrations make and change the schema.
var Migrations = postgres.Folder(embedded)

// Store implements report.Store and report.Journal.
type Store struct{ db *postgres.DB }

var (
	_ report.Store   = (*Store)(nil)
	_ report.Journal = (*Store)(nil)
)

// New returns the store in db, which is connected as reports_app.
func New(db *postgres.DB) *Store { return &Store{db} }
