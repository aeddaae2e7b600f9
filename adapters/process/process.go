// Package process runs a service's binary in one of its roles.
package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/telemetry"
)

// Role is one thing that a binary can do: serve, work, migrate, openapi. It
// returns when ctx ends, which SIGTERM and SIGINT make it do.
type Role func(ctx context.Context) error

// Command is a role and what the help says of it.
type Command struct {
	Does string
	Run  Role
}

// Main runs the role that the command line names and exits: 0 when it ended as
// it should, 1 when it failed, 2 when there is no such role. Asked for help, it
// shows the roles.
func Main(service string, commands map[string]Command) {
	defer telemetry.Logs(service)()
	name := ""
	if len(os.Args) == 2 {
		name = os.Args[1]
	}
	command, ok := commands[name]
	switch {
	case slices.Contains([]string{"help", "-h", "-help", "--help"}, name):
		fmt.Print(usage(service, commands))
		return
	case !ok:
		fmt.Fprint(os.Stderr, usage(service, commands))
		os.Exit(2)
	}
	if err := run(service, command.Run); err != nil {
		for _, err := range each(err) {
			slog.Error("stopped", "role", name, "error", err)
		}
		os.Exit(1)
	}
}

func usage(service string, commands map[string]Command) string {
	lines := fmt.Sprintf("usage: %s <command>\n\n", service)
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		lines += fmt.Sprintf("  %-12s  %s\n", name, commands[name].Does)
	}
	return lines + "\nWhat a command is told comes from the environment: docs/operations.md.\n"
}

// each returns the errors that err joins: a line for each.
func each(err error) []error {
	if all, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // what wraps a joined one has words of its own
		return all.Unwrap()
	}
	return []error{err}
}

func run(service string, role Role) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	flush, err := telemetry.Traces(ctx, service)
	if err != nil {
		return err
	}
	defer flush()
	defer heldBallast()()
	return role(ctx)
}

// Migrate returns the command that makes a service's database, where it is given
// an administrator's URL, and brings its schema up to date.
func Migrate(service string, migrations fs.FS) Command {
	return Command{"make the database and its roles, where an administrator's URL is given, and bring its schema up to date", func(ctx context.Context) error {
		var cfg config.Migrator
		if err := config.Load(&cfg); err != nil {
			return err
		}
		if cfg.AdminURL != "" {
			p := postgres.Passwords{Migrator: passwordIn(cfg.URL), App: passwordIn(cfg.AppURL), System: passwordIn(cfg.SystemURL)}
			if err := postgres.Provision(ctx, cfg.AdminURL, service, p); err != nil {
				return err
			}
		}
		return postgres.Migrate(ctx, cfg.URL, migrations)
	}}
}

func passwordIn(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	p, _ := u.User.Password()
	return p
}

// Databases opens a service's two pools and refuses roles and schemas that it
// must not serve with.
func Databases(ctx context.Context, cfg config.Database, migrations fs.FS) (app, system *postgres.DB, err error) {
	if app, err = openVerified(ctx, cfg.URL, migrations); err != nil {
		return nil, nil, err
	}
	if system, err = openVerified(ctx, cfg.SystemURL, migrations); err != nil {
		app.Close()
	}
	return app, system, err
}

func openVerified(ctx context.Context, at string, migrations fs.FS) (*postgres.DB, error) {
	db, err := postgres.Open(ctx, at)
	if err != nil {
		return nil, err
	}
	if err := db.Verify(ctx, migrations); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// OpenAPI prints a service's document, indented, to standard output.
func OpenAPI(doc any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(doc)
}

// Hourly is how often what has expired is dropped.
const Hourly = time.Hour

const again = time.Second

// Until does what do does until it succeeds or ctx ends.
func Until(ctx context.Context, what string, do func(context.Context) error) {
	for {
		err := do(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		slog.Warn("will be tried again", "what", what, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(again):
		}
	}
}

// Every does what do does, now and then every interval until ctx ends. A
// failure is logged and tried again the next time.
func Every(ctx context.Context, interval time.Duration, what string, do func(context.Context) error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			slog.Warn("will be tried again", "what", what, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
