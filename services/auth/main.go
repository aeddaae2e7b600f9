// Command auth is the platform's OAuth 2.0 and OpenID Connect server.
package main

import (
	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/process"
)

func main() {
	process.Main("auth", map[string]process.Role{
		"serve":       serve,
		"migrate":     process.Migrate("auth", authdb.Migrations),
		"openapi":     openapi,
		"rotate-keys": rotateKeys,
	})
}
