// Command users keeps tenants and their people, and onboards new ones.
package main

import (
	"bailiwick.dev/adapters/postgres/usersdb"
	"bailiwick.dev/adapters/process"
)

func main() {
	process.Main("users", map[string]process.Command{
		"serve":   {Does: "answer requests", Run: serve},
		"work":    {Does: "run onboardings and mail and admit the invited", Run: work},
		"migrate": process.Migrate("users", usersdb.Migrations),
		"openapi": {Does: "print the OpenAPI document", Run: openapi},
	})
}
