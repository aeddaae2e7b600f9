// Command tasks keeps a tenant's projects, tasks and comments.
package main

import (
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/process"
)

func main() {
	process.Main("tasks", map[string]process.Role{
		"serve":   serve,
		"work":    work,
		"migrate": process.Migrate("tasks", tasksdb.Migrations),
		"openapi": openapi,
	})
}
