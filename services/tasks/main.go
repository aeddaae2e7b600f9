// Command tasks keeps a tenant's projects, tasks and comments.
package main

import (
	"bailiwick.dev/adapters/postgres/tasksdb"
	"bailiwick.dev/adapters/process"
)

func main() {
	process.Main("tasks", map[string]process.Command{
		"serve":   {Does: "answer requests", Run: serve},
		"work":    {Does: "carry imports through, empty the trash and drop deleted projects", Run: work},
		"migrate": process.Migrate("tasks", tasksdb.Migrations),
		"openapi": {Does: "print the OpenAPI document", Run: openapi},
	})
}
