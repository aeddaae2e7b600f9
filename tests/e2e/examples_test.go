package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// secrets are operations on a secret that only a mail holds, or a person knows,
// which no document can show: their example is answered as an unknown one, or a
// wrong one.
var secrets = map[string]int{
	"POST /users/v1/invitations/acceptance": http.StatusNotFound, "POST /users/v1/tenant-registrations/verification": http.StatusNotFound,
	"POST /auth/v1/me/password": http.StatusUnprocessableEntity,
}

const shownProject = "0199a1b2-c3d4-7e5f-8a6b-000000000001"

// Every operation's documented example, sent as it is but for the ids, is
// answered with the documented success, and the answer is as its schema says.
func TestEveryExampleWorks(t *testing.T) {
	w := newExamples(t)
	tried := map[string]bool{}
	for _, op := range w.inOrder(operations(t)) {
		name := op.method + " " + op.path
		tried[name] = true
		path, object := w.path(op)
		header := map[string]string{}
		if op.has["If-Match"] {
			header["If-Match"] = w.etag(object)
		}
		status, answer, h := w.ask(op.method, path+w.query(op), w.body(op), op.media, header)
		want := op.success
		if secrets[name] > 0 {
			want = []int{secrets[name]}
		}
		if !slices.Contains(want, status) {
			t.Errorf("%s %s with %s is answered %d %s, want %v", op.method, path, w.body(op), status, answer, want)
			continue
		}
		w.conforms(op, status, h, answer)
	}
	if len(tried) < 50 {
		t.Errorf("only %d operations were tried", len(tried))
	}
}

// examples is a tenant with something of everything.
type examples struct {
	t       *testing.T
	token   string
	ids     map[string]string // of the objects that documents show, by their example
	objects map[string]func() string
	schemas *jsonschema.Compiler
}

func newExamples(t *testing.T) *examples {
	ctx := within(t, 2*time.Minute)
	c, err := platform.Register(ctx, "Examples Ltd")
	if err != nil {
		t.Fatal(err)
	}
	api, token, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := platform.Invite(ctx, c, api, "Grace Hopper", "member"); err != nil {
		t.Fatal(err)
	}
	w := &examples{t: t, token: token.AccessToken, ids: map[string]string{}, schemas: jsonschema.NewCompiler()}
	w.schemas.AssertFormat()
	file, err := os.Open(filepath.Join(root, "openapi", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	doc, err := jsonschema.UnmarshalJSON(file)
	if err == nil {
		err = w.schemas.AddResource("openapi.json", doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	me := w.make("GET", "/users/v1/me", "", "id")
	project := w.make("POST", "/tasks/v1/projects", `{"name":"Examples"}`, "id")
	task := func() string {
		return w.make("POST", "/tasks/v1/tasks", `{"title":"Example","project_id":"`+project+`"}`, "id")
	}
	w.ids[shownProject], w.ids["0199a1b2-c3d4-7e5f-8a6b-000000000009"] = project, me
	w.ids["0199a1b2-c3d4-7e5f-8a6b-000000000004"], w.ids["0199a1b2-c3d4-7e5f-8a6b-000000000005"] = task(), task()
	run := func() string { return w.make("POST", "/reports/v1/runs", `{"format":"csv"}`, "id") }
	w.objects = map[string]func() string{
		"/auth/v1/clients/": func() string {
			return w.make("POST", "/auth/v1/clients", `{"name":"C","type":"confidential"}`, "client_id")
		},
		"/authz/v1/permissions/": func() string { return w.named("/authz/v1/permissions", `{"name":"example:n%d"}`) },
		"/authz/v1/roles/":       func() string { return w.named("/authz/v1/roles", `{"name":"example-%d","permissions":["tasks:read"]}`) },
		"/authz/v1/assignments/": func() string {
			return w.named("/authz/v1/assignments", `{"subject_kind":"client","subject_id":"example-%d","role":"viewer"}`)
		},
		"/tasks/v1/projects/":     func() string { return w.make("POST", "/tasks/v1/projects", `{"name":"P"}`, "id") },
		"/tasks/v1/tasks/":        task,
		"/tasks/v1/task-imports/": func() string { return importTasks(ctx, t, api, uuidOf(project), "title\nA\n").Id.String() },
		"/reports/v1/runs/":       run,
		"/auth/v1/me/sessions/": func() string {
			before := w.sessions()
			if _, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner); err != nil {
				t.Fatal(err)
			}
			return slices.DeleteFunc(w.sessions(), func(id string) bool { return slices.Contains(before, id) })[0]
		},
		"/users/v1/users/": func() string { return w.other(me) },
		"/users/v1/invitations/": func() string {
			return w.named("/users/v1/invitations", `{"email":"%d@acme.example","role":"member"}`)
		},
		"/users/v1/tenant-registrations/": func() string { return c.ID },
	}
	return w
}

// inOrder tries what adds before what takes away.
func (w *examples) inOrder(all []operation) []operation {
	rank := map[string]int{"POST": 1, "PUT": 2, "PATCH": 3, "GET": 4, "DELETE": 5}
	slices.SortFunc(all, func(a, b operation) int {
		if d := last(a) - last(b); d != 0 {
			return d
		}
		if d := rank[a.method] - rank[b.method]; d != 0 {
			return d
		}
		return strings.Compare(a.path, b.path)
	})
	return all
}

// path names an object of the operation's, made for it, in the state that it
// needs, and the object's own path.
func (w *examples) path(op operation) (path, object string) {
	w.t.Helper()
	prefix, after, ok := strings.Cut(op.path, "{id}")
	if !ok {
		return w.real(op.path), w.real(op.path)
	}
	add := w.objects[prefix]
	if add == nil {
		w.t.Fatalf("%s %s: the test makes no object at %s", op.method, op.path, prefix)
	}
	if prefix == "/tasks/v1/task-imports/" && after == "/cancel" { // of one that takes a while
		file := "title\n" + strings.Repeat("A\n", 50_000)
		_, _, h := w.ask("POST", prefix[:len(prefix)-1]+"?project_id="+w.ids[shownProject], []byte(file), "text/csv", nil)
		return h.Get("Location") + after, h.Get("Location")
	}
	object = prefix + add()
	switch after {
	case "/restore":
		w.ask("DELETE", object, nil, "", map[string]string{"If-Match": w.etag(object)})
	case "/secret/previous":
		w.make("POST", object+"/secret", "", "client_id")
	case "/file":
		for w.make("GET", object, "", "status") != "succeeded" {
			time.Sleep(50 * time.Millisecond)
		}
	}
	return object + w.real(after), object
}

// real puts the tenant's ids in the place of the documents'.
func (w *examples) real(text string) string {
	for shown, id := range w.ids {
		text = strings.ReplaceAll(text, shown, id)
	}
	return text
}

func (w *examples) body(op operation) []byte {
	if op.body == nil {
		return nil
	}
	if op.path == "/authz/v1/policy" { // just as it is exported: no example is a whole policy
		_, answer, _ := w.ask("GET", "/authz/v1/policy", nil, "", nil)
		return answer
	}
	text := string(op.body)
	if strings.HasSuffix(op.path, "/task-bulk") {
		for _, shown := range []string{"0199a1b2-c3d4-7e5f-8a6b-000000000002", "0199a1b2-c3d4-7e5f-8a6b-000000000003"} {
			text = strings.ReplaceAll(text, shown, w.objects["/tasks/v1/tasks/"]())
		}
	}
	text = strings.Replace(text, `"slug":"acme"`, fmt.Sprintf(`"slug":"acme-%s"`, strings.ToLower(rand.Text()[:8])), 1) // is unique over the platform
	return []byte(w.real(text))
}

func (w *examples) query(op operation) string {
	q := url.Values{}
	for name, value := range op.query {
		q.Set(name, w.real(value))
	}
	return "?" + q.Encode()
}

func (w *examples) etag(path string) string {
	w.t.Helper()
	status, body, h := w.ask("GET", path, nil, "", nil)
	if status == http.StatusNotFound { // it is in the trash
		return `"2"`
	}
	if h.Get("ETag") == "" {
		w.t.Errorf("GET %s has no ETag: %s", path, body)
	}
	return h.Get("ETag")
}

// make returns a field of what is answered.
func (w *examples) make(method, path, body, field string) string {
	w.t.Helper()
	status, answer, _ := w.ask(method, path, []byte(body), "application/json", nil)
	var fields map[string]any
	if err := json.Unmarshal(answer, &fields); err != nil || status >= 300 {
		w.t.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return fmt.Sprint(fields[field])
}

func (w *examples) sessions() (ids []string) {
	w.t.Helper()
	_, answer, _ := w.ask("GET", "/auth/v1/me/sessions", nil, "", nil)
	var all struct{ Items []struct{ ID string } }
	if err := json.Unmarshal(answer, &all); err != nil || len(all.Items) == 0 {
		w.t.Fatalf("the sessions are %s", answer)
	}
	for _, x := range all.Items {
		ids = append(ids, x.ID)
	}
	return ids
}

// other returns the user who is not me.
func (w *examples) other(me string) string {
	w.t.Helper()
	_, answer, _ := w.ask("GET", "/users/v1/users", nil, "", nil)
	var all struct{ Items []struct{ ID string } }
	if err := json.Unmarshal(answer, &all); err != nil || len(all.Items) != 2 {
		w.t.Fatalf("the users are %s, want two", answer)
	}
	if all.Items[0].ID == me {
		return all.Items[1].ID
	}
	return all.Items[0].ID
}

func (w *examples) named(path, pattern string) string {
	w.t.Helper()
	w.ids[fmt.Sprint(path, len(w.ids))] = "" // counts
	return w.make("POST", path, fmt.Sprintf(pattern, len(w.ids)), "id")
}

func (w *examples) ask(method, path string, body []byte, media string, header map[string]string) (int, []byte, http.Header) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(within(w.t, time.Minute), method, platform.URL+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.token)
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	for name, value := range maps.All(header) {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, answer, resp.Header
}

// conforms holds an answer to the schema that the document gives it, and its ids
// and times to the platform's forms.
func (w *examples) conforms(op operation, status int, h http.Header, answer []byte) {
	w.t.Helper()
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if !strings.HasSuffix(media, "json") || strings.HasSuffix(media, "ndjson") {
		return
	}
	at := "openapi.json#/paths/" + strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(op.shown) + "/" + strings.ToLower(op.method) +
		fmt.Sprintf("/responses/%d/content/%s/schema", status, strings.ReplaceAll(media, "/", "~1"))
	schema, err := w.schemas.Compile(at)
	if err != nil {
		w.t.Errorf("%s %s: %d %s is not documented: %v", op.method, op.shown, status, media, err)
		return
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		w.t.Errorf("%s %s is answered %s, which is not as documented: %v", op.method, op.shown, answer, err)
	}
	if odd := uniform(value, versionsOf(op)...); len(odd) > 0 {
		w.t.Errorf("%s %s is answered %s, where %q are no ids or times of the forms wanted", op.method, op.shown, answer, odd)
	}
}

// asks are operations that change nothing, whatever their method.
var asks = regexp.MustCompile(`/check|:explain$|:dry-run$`)

// endsToken reports whether op ends the token that asks for it, which is refused
// as soon as word of that has come round.
func endsToken(op operation) bool {
	return op.method == http.MethodDelete && op.path == "/auth/v1/me/sessions"
}

// Every write of the documents, sent fifty times at once under one
// Idempotency-Key and once more after, is answered the same each time, and the
// key is refused to any other request.
func TestEveryWriteHappensOnce(t *testing.T) {
	w := newExamples(t)
	tried := 0
	for _, op := range w.inOrder(operations(t)) {
		if op.method == http.MethodGet || secrets[op.method+" "+op.path] > 0 || asks.MatchString(op.path) {
			continue
		}
		path, object := w.path(op)
		header := map[string]string{"Idempotency-Key": uuid.NewString()}
		if op.has["If-Match"] {
			header["If-Match"] = w.etag(object)
		}
		path, body := path+w.query(op), w.body(op)
		var answers sync.Map
		ask := func() {
			status, answer, h := w.ask(op.method, path, body, op.media, header)
			if status == http.StatusUnauthorized && endsToken(op) {
				return
			}
			if answers.Store(fmt.Sprintf("%s %q %q", answer, h.Get("ETag"), h.Get("Location")), true); !slices.Contains(op.success, status) {
				t.Errorf("%s %s is answered %d %s, want %v", op.method, path, status, answer, op.success)
			}
		}
		var all sync.WaitGroup
		for range 50 {
			all.Go(ask)
		}
		all.Wait()
		ask()
		if got := slices.Collect(maps.Keys(maps.Collect(answers.Range))); len(got) != 1 {
			t.Errorf("%s %s is answered in %d ways under one key: %s", op.method, path, len(got), got)
		}
		reused, p, _ := w.ask(op.method, path+"&", body, op.media, header)
		refused := reused == http.StatusUnprocessableEntity && bytes.Contains(p, []byte("#idempotency_key_reused"))
		if ended := reused == http.StatusUnauthorized && endsToken(op); !refused && !ended {
			t.Errorf("%s %s, the key used again: %d %s, want 422", op.method, path, reused, p)
		}
		tried++
	}
	if tried < 25 {
		t.Errorf("only %d writes were tried", tried)
	}
}
