// Command authz keeps a tenant's roles and decides who may do what.
package main

import (
	"bailiwick.dev/adapters/postgres/authzdb"
	"bailiwick.dev/adapters/process"
)

func main() {
	process.Main("authz", map[string]process.Command{
		"serve":   {Does: "answer requests", Run: serve},
		"migrate": process.Migrate("authz", authzdb.Migrations),
		"openapi": {Does: "print the OpenAPI document", Run: openapi},
	})
}
