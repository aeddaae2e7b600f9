// Command reports turns a tenant's tasks into files.
package main

import (
	"bailiwick.dev/adapters/postgres/reportsdb"
	"bailiwick.dev/adapters/process"
)

func main() {
	process.Main("reports", map[string]process.Command{
		"serve":   {Does: "answer requests", Run: serve},
		"work":    {Does: "make reports and drop old ones", Run: work},
		"migrate": process.Migrate("reports", reportsdb.Migrations),
		"openapi": {Does: "print the OpenAPI document", Run: openapi},
	})
}
