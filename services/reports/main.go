// Command reports turns a tenant's tasks into files.
package main

import (
	"bailiwick.dev/adapters/postgres/reportsdb"
	"bailiwick.dev/adapters/process"
)

func main() {
	process.Main("reports", map[string]process.Role{
		"serve":   serve,
		"work":    work,
		"migrate": process.Migrate("reports", reportsdb.Migrations),
		"openapi": openapi,
	})
}
