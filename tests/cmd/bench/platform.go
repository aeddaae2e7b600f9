package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	bailiwick "bailiwick.dev/openapi/sdk/go"
	"bailiwick.dev/tests/story"
)

// world is a tenant to measure with.
type world struct {
	company             *story.Company
	token               string
	tenant, project, id string
	secrets             map[string]string
}

func direct(name string, byDefault int) string {
	return "http://127.0.0.1:" + story.Port(name, byDefault)
}

func prepare(ctx context.Context) (*world, error) {
	p := &story.Platform{URL: "http://localhost:" + story.Port("GATEWAY", 8080), MailURL: "http://localhost:" + story.Port("MAIL", 8025), Say: func(string, ...any) {}}
	c, err := p.Register(ctx, "Bench Ltd")
	if err != nil {
		return nil, err
	}
	owner, token, err := p.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		return nil, err
	}
	if err := p.Equip(ctx, c, owner); err != nil {
		return nil, err
	}
	project, err := owner.CreateProjectWithResponse(ctx, nil, bailiwick.ProjectDraft{Name: "Bench"})
	if err != nil || project.JSON201 == nil {
		return nil, fmt.Errorf("project: %w", err)
	}
	task, err := owner.CreateTaskWithResponse(ctx, nil, bailiwick.TaskDraft{ProjectId: project.JSON201.Id, Title: "Measure"})
	if err != nil || task.JSON201 == nil {
		return nil, fmt.Errorf("task: %w", err)
	}
	w := &world{company: c, token: token.AccessToken, tenant: c.ID, project: project.JSON201.Id.String(), id: task.JSON201.Id.String()}
	data, err := os.ReadFile(".local/secrets.json")
	if err != nil {
		return nil, err
	}
	return w, json.Unmarshal(data, &w.secrets)
}

const columns = "id, project_id, number, key, title, description, status, priority, assignees, labels, start_at, due_at, estimate_minutes, " +
	"parent_id, rank, version, created_at, created_by, updated_at, deleted_at"

// insert is what the service does to create a task.
const insert = `with place as (
		select p.key, coalesce(nullif('', ''), p.statuses->0->>'name') as status from projects p where p.tenant_id = '%[1]s' and p.id = '%[2]s' and p.archived_at is null),
	counted as (
		update project_counters c set last = c.last + 1 from place where c.tenant_id = '%[1]s' and c.project_id = '%[2]s' returning c.last as number, place.key, place.status),
	changed as (
		insert into tasks (tenant_id, %[3]s)
		select '%[1]s', gen_random_uuid(), '%[2]s', number, key || '-' || number, 'Measure', '', status, 'normal', '{}', '{}', null, null, null, null,
			lpad(number::text, 10, '0') || 'V', 1, now(), 'client-x', now(), null from counted returning %[3]s),
	history as (
		insert into task_changes (tenant_id, task_id, version, at, actor, request_id, fields)
		select '%[1]s', id, version, created_at, created_by, 'r', '[{"field": "priority", "before": null, "after": "normal"}, {"field": "title", "before": null, "after": "Measure"}]'::jsonb
			|| jsonb_build_array(jsonb_build_object('field', 'status', 'before', null, 'after', status)) from changed)
	select %[3]s from changed;`

// tasks measures one replica of the tasks service beside pgbench with the
// service's own statements, as the service's own role.
func (w *world) tasks(ctx context.Context) ([]line, error) {
	at := direct("TASKS", 8104) + "/tasks/v1/tasks"
	get, err := w.load(ctx, "tasks", http.StatusOK, w.request(http.MethodGet, at+"/"+w.id, nil))
	if err != nil {
		return nil, err
	}
	body := []byte(fmt.Sprintf(`{"project_id":%q,"title":"Measure"}`, w.project))
	create, err := w.load(ctx, "tasks", http.StatusCreated, w.request(http.MethodPost, at, body))
	if err != nil {
		return nil, err
	}
	set := fmt.Sprintf("select set_config('app.tenant_id', '%s', true);\n", w.tenant)
	pgGet, err := w.pgbench(ctx, "\\startpipeline\n"+set+fmt.Sprintf("select %s from tasks where tenant_id = '%s' and id = '%s';\n\\endpipeline\n", columns, w.tenant, w.id))
	if err != nil {
		return nil, err
	}
	pgCreate, err := w.pgbench(ctx, "\\startpipeline\n"+set+strings.ReplaceAll(fmt.Sprintf(insert, w.tenant, w.project, columns), "\n", " ")+"\n\\endpipeline\n")
	if err != nil {
		return nil, err
	}
	same := "pgbench, the same statements, role and pipeline"
	return []line{
		{"tasks: get", get.String(), fmt.Sprintf("%.0f/s", pgGet), same, ratio(get.rate, pgGet)},
		{"tasks: create", create.String(), fmt.Sprintf("%.0f/s", pgCreate), same, ratio(create.rate, pgCreate)},
	}, nil
}

// load measures one request to a service, over and over.
func (w *world) load(ctx context.Context, service string, status int, req *http.Request) (figures, error) {
	return work{at: req.URL.Host, pid: pid(service), status: status, request: always(req)}.measure(ctx)
}

func (w *world) request(method, at string, body []byte) *http.Request {
	req, err := http.NewRequest(method, at, bytes.NewReader(body))
	if err != nil {
		panic(err) // only for an address that is none
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	req.Header.Set("Content-Type", "application/json")
	return req
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

func (w *world) pgbench(ctx context.Context, script string) (float64, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if len(found) == 0 {
		found = []string{"pgbench"}
	}
	file, err := os.CreateTemp("", "bench-*.sql")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString(script); err != nil {
		return 0, err
	}
	seconds := strconv.Itoa(int(span.Seconds()))
	cmd := exec.CommandContext(ctx, found[len(found)-1], "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "2", "-T", seconds, "-f", file.Name(),
		"-h", "127.0.0.1", "-p", story.Port("POSTGRES", 15432), "-U", "tasks_app", "tasks")
	cmd.Env = append(os.Environ(), "PGPASSWORD="+w.secrets["tasks_app"])
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	m := tps.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("pgbench says no rate:\n%s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// tokens measures client credentials beside a handler that signs one JWT.
func (w *world) tokens(ctx context.Context) ([]line, error) {
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"tasks"}}.Encode()
	req, err := http.NewRequest(http.MethodPost, direct("AUTH", 8101)+"/auth/token", strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(w.company.MachineID, w.company.MachineSecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ours, err := w.load(ctx, "auth", http.StatusOK, req)
	if err != nil {
		return nil, err
	}
	at, stop, err := signing()
	if err != nil {
		return nil, err
	}
	defer stop()
	req, err = http.NewRequest(http.MethodPost, at, strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	bare, err := w.load(ctx, "", http.StatusOK, req)
	return []line{{"auth: client credentials token", ours.String(), bare.String(), "a bare handler that signs one ES256 JWT", ratio(ours.rate, bare.rate)}}, err
}

func signing() (at string, stop func(), err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		token, err := jwt.Signed(signer).Claims(jwt.Claims{Issuer: "bench", Subject: "bench", ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute))}).Serialize()
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"access_token": token}) // the client is gone if this fails
	})}
	go func() { _ = srv.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = srv.Close() }, nil
}

func ratio(ours, limit float64) string { return fmt.Sprintf("%.2f", ours/limit) }
