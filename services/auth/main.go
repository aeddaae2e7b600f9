// Command auth is the platform's OAuth 2.0 and OpenID Connect server.
package main

import (
	"context"
	"fmt"
	"os"

	"bailiwick.dev/adapters/argon2"
	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/process"
)

// hash is the role of the process that hashes passwords for the one that serves.
const hash = "hash"

func main() {
	process.Main("auth", map[string]process.Command{
		"serve":        {Does: "answer requests", Run: serve},
		"migrate":      process.Migrate("auth", authdb.Migrations),
		"openapi":      {Does: "print the OpenAPI document", Run: openapi},
		hash:           {Does: "hash passwords for serve, which starts it", Run: func(context.Context) error { return argon2.Serve(os.Stdin, os.Stdout) }},
		"rotate-keys":  {Does: "let the next signing key sign, and show when", Run: rotateKeys},
		"verify-audit": {Does: "check every tenant's audit trail and show the end of each", Run: verifyAudit},
	})
}

// verifyAudit checks every tenant's audit trail and names the end of each, to be
// kept and compared. The error that it fails with names the first entry that is
// not what was written.
func verifyAudit(ctx context.Context) error {
	var cfg struct{ config.Database }
	if err := config.Load(&cfg, &configuration{}); err != nil {
		return err
	}
	app, system, err := process.Databases(ctx, cfg.Database, authdb.Migrations)
	if err != nil {
		return err
	}
	defer app.Close()
	defer system.Close()
	return authdb.New(app, system).VerifyAudit(ctx, func(h authdb.Head) {
		fmt.Printf("%s: %d entries hold, the last has the hash %x\n", h.TenantID, h.Sequence, h.Hash)
	})
}
