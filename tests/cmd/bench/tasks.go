package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	million  = 1_000_000
	walled   = "bench_tasks"
	wallless = "bench_tasks_without_wall"
	pgbenchs = "bench_tasks_pgbench" // so that what it writes makes nothing that is compared larger
)

// operation is one that is measured three times: at the service, at the service
// without row security, and as the bare statement in pgbench.
type operation struct {
	name    string
	status  int
	turns   int
	request func(client, n int) []byte
	// bare makes of the statement what pgbench repeats.
	bare func(statement string) []string
}

// The company's tasks, by their number among its own: which ones are read, and
// from where on they are changed and deleted.
const (
	read             = 1000
	changed, deleted = 2000, 10_000
	each             = 1250 // for each client to delete in a turn
	writeTurns       = 4    // for which that is enough
	createTurns      = 12
	readTurns        = 20
	// unseen is a client who changes and deletes in no turn.
	unseen = writeTurns * clients
)

// operations on n tasks speak to any instance: the host that they name is not
// looked at.
func (w *world) operations(n int) []operation { return append(w.reads(n), w.writes()...) }

func (w *world) reads(n int) []operation {
	gets, stride := make([][]byte, read), n/tenants/read
	for i := range gets {
		gets[i] = wire(w.request(http.MethodGet, "/"+taskID((i*stride+stride/2)*tenants), nil))
	}
	page := wire(w.request(http.MethodGet, "?limit=50", nil))
	return []operation{
		{"get", http.StatusOK, readTurns, func(c, n int) []byte { return gets[(c*131+n)%read] }, same},
		{"a page of 50", http.StatusOK, readTurns, func(int, int) []byte { return page }, same},
	}
}

func (w *world) writes() []operation {
	creates := make([][]byte, projects)
	for i := range creates {
		creates[i] = wire(w.request(http.MethodPost, "", []byte(fmt.Sprintf(`{"project_id":%q,"title":"Carry a desk"}`, projectID(i)))))
	}
	write := func(method, body string) func(id string, version int) []byte {
		r := string(wire(w.request(method, "/the-task", []byte(body))))
		r = strings.Replace(r, "\r\n", "\r\nIf-Match: \"the-version\"\r\n", 1)
		return func(id string, version int) []byte {
			return []byte(strings.NewReplacer("the-task", id, "the-version", fmt.Sprint(version)).Replace(r))
		}
	}
	change, back, remove := write(http.MethodPatch, there), write(http.MethodPatch, andBack), write(http.MethodDelete, "")
	return []operation{
		{"create", http.StatusCreated, createTurns, func(c, n int) []byte { return creates[(c+n)%projects] }, w.inEachProject},
		{"change", http.StatusOK, writeTurns, func(c, n int) []byte {
			if n%2 == 1 {
				return back(taskID((changed+c)*tenants), n+1)
			}
			return change(taskID((changed+c)*tenants), n+1)
		},
			onTask(changed+unseen, fmt.Sprintf("(%d + :client) * %d", changed, tenants), ":n + 1")},
		{"delete", http.StatusNoContent, writeTurns, func(c, n int) []byte { return remove(taskID((deleted+c*each+n)*tenants), 1) },
			onTask(deleted+unseen*each, fmt.Sprintf("(%d + :client * %d + :n) * %d", deleted, each, tenants), "1")},
	}
}

func same(statement string) []string { return []string{statement} }

var anyID = regexp.MustCompile(`'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'`)

// inEachProject gives each row an id of its own and spreads them as the clients do.
func (w *world) inEachProject(statement string) (all []string) {
	statement = anyID.ReplaceAllStringFunc(statement, func(id string) string {
		if strings.Contains(id, w.tenant) || strings.Contains(id, projectID(unseen)) {
			return id
		}
		return "overlay(gen_random_uuid()::text placing '01990000-0000-7' from 1)::uuid"
	})
	for i := range projects {
		all = append(all, strings.ReplaceAll(statement, projectID(unseen), projectID(i)))
	}
	return all
}

// Patches of a task by turns: one in which nothing differs is no change.
const there, andBack = `{"title":"Carry another desk"}`, `{"title":"Carry the desk back"}`

// onTask lets a statement on a task be one on the task that n and version say.
func onTask(first int, n, version string) func(string) []string {
	id := fmt.Sprintf("(lpad(to_hex((%d + %s) * 1000::bigint), 12, '0') || '70008002' || lpad(to_hex(%s), 12, '0'))::uuid", birth, n, n)
	return func(statement string) []string {
		statement = strings.ReplaceAll(statement, "'"+taskID(first*tenants)+"'", id)
		shown := strings.Replace(there, ":", ": ", 1) // as PostgreSQL writes it
		statement = strings.ReplaceAll(statement, "'"+shown+"'", "(case when :n % 2 = 0 then '"+there+"' else '"+andBack+"' end)::jsonb")
		return []string{strings.ReplaceAll(statement, "version = '1'", "version = "+version)}
	}
}

// tasks measures the tasks service on a million tasks of ten tenants.
func (w *world) tasks(ctx context.Context) (lines []line, err error) {
	fmt.Printf("making %d tasks of %d tenants, thrice\n", million, tenants)
	if err := w.fill(ctx, walled, million, ""); err != nil {
		return nil, err
	}
	if err := errors.Join(w.withoutWall(ctx, walled, wallless), w.clone(ctx, walled, pgbenchs)); err != nil {
		return nil, err
	}
	ops := w.operations(million)
	var first [][]byte
	for _, o := range ops {
		first = append(first, o.request(unseen, 0))
	}
	bare, err := w.statements(ctx, walled, "tasks_app", first)
	if err != nil {
		return nil, err
	}
	with, err := startTasks(ctx, walled)
	if err != nil {
		return nil, err
	}
	defer with.stop()
	without, err := startTasks(ctx, wallless)
	if err != nil {
		return nil, err
	}
	defer without.stop()
	limits, err := w.startLimits(ctx)
	if err != nil {
		return nil, err
	}
	defer limits.stop()
	export, err := w.export(ctx)
	if err != nil {
		return nil, err
	}
	for i, o := range ops {
		at := func(i *instance) measurement {
			return work{at: i.at, pid: i.pid, status: o.status, request: o.request}.over
		}
		got, err := inTurns(ctx, o.turns, turn, at(with), at(without), limits.load(mustGet("http://"+limits.at+"/select")).over, func(ctx context.Context, n int, span time.Duration) (figures, error) {
			return w.pgbench(ctx, pgbenchs, n*clients, span, o.bare(bare[i])...)
		})
		if err != nil {
			return nil, err
		}
		ours := got[0]
		for i, is := range []string{"the service without row security", limitsAre["select"], "pgbench: the same statement, role and pipeline"} {
			limit := got[1+i]
			lines = append(lines, line{"tasks: " + o.name, middle(ours).String(), middle(limit).String(), is, ratios(ours, limit, rate)})
		}
	}
	return append(lines, export...), nil
}
