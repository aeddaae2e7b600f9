package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const serverLog = ".local/postgres/server.log"

// statements returns what the service sends to PostgreSQL for each request,
// arguments in place, as the server's own log shows it.
func (w *world) statements(ctx context.Context, database, role string, requests [][]byte) (all []string, err error) {
	logging := fmt.Sprintf("alter role %s in database %s ", role, database)
	if err := w.sql(ctx, database, logging+"set log_min_duration_statement = 0"); err != nil {
		return nil, err
	}
	i, err := startTasks(ctx, database)
	if err != nil {
		return nil, err
	}
	defer i.stop()
	for _, r := range requests {
		before, err := os.Stat(serverLog)
		if err != nil {
			return nil, err
		}
		if err := i.ask(ctx, r); err != nil {
			return nil, err
		}
		log, err := os.ReadFile(serverLog)
		if err != nil {
			return nil, err
		}
		one, err := lastStatement(string(log[before.Size():]))
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	err = w.sql(ctx, database, logging+"reset log_min_duration_statement")
	return all, err
}

var (
	entry     = regexp.MustCompile(`(?s)execute [^:]*: (.*?)\n\d{4}-\d\d-\d\d [^\n]* DETAIL:  parameters: ([^\n]*)\n`)
	parameter = regexp.MustCompile(`\$(\d+) = ('(?:[^']|'')*'|NULL)`)
	place     = regexp.MustCompile(`\$(\d+)`)
)

// lastStatement finds the last statement in a log and puts its arguments in.
func lastStatement(log string) (string, error) {
	all := entry.FindAllStringSubmatch(log, -1)
	if len(all) == 0 {
		return "", fmt.Errorf("the server logged no statement:\n%s", log)
	}
	sql, args := all[len(all)-1][1], map[string]string{}
	for _, p := range parameter.FindAllStringSubmatch(all[len(all)-1][2], -1) {
		args["$"+p[1]] = p[2]
	}
	return strings.Join(strings.Fields(place.ReplaceAllStringFunc(sql, func(at string) string { return args[at] })), " "), nil
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

// pgbench measures statements behind the tenant's wall, each in one pipeline as
// the service sends it, and as the service's own role. The clients' numbers
// begin with first: each has its own in client, and counts its transactions in n.
func (w *world) pgbench(ctx context.Context, database string, first int, span time.Duration, statements ...string) (figures, error) {
	args := []string{"-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(int(span.Seconds())), "-D", "n=0", "-D", fmt.Sprintf("first=%d", first)}
	for _, s := range statements {
		file, err := os.CreateTemp("", "bench-*.sql")
		if err != nil {
			return figures{}, err
		}
		defer os.Remove(file.Name())
		if _, err := fmt.Fprintf(file, "\\set client :first + :client_id\n\\startpipeline\nselect set_config('app.tenant_id', '%s', true);\n%s;\n\\endpipeline\n\\set n :n + 1\n", w.tenant, s); err != nil {
			return figures{}, err
		}
		args = append(args, "-f", file.Name())
	}
	out, err := w.pg(ctx, "tasks_app", "pgbench", append(args, database)...).CombinedOutput()
	if err != nil {
		return figures{}, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	m := tps.FindSubmatch(out)
	if m == nil {
		return figures{}, fmt.Errorf("pgbench says no rate:\n%s", out)
	}
	rate, err := strconv.ParseFloat(string(m[1]), 64)
	return figures{rate: rate}, err
}
