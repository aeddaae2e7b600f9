// Command users keeps tenants and their people, and onboards new ones.
package main

import (
	"bailiwick.dev/adapters/postgres/usersdb"
	"bailiwick.dev/adapters/process"
)

func main() {
	process.Main("users", map[string]process.Role{
		"serve":   serve,
		"work":    work,
		"migrate": process.Migrate("users", usersdb.Migrations),
		"openapi": openapi,
	})
}
