package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	bailiwick "bailiwick.dev/openapi/sdk/go"
)

type object = map[string]any

// Every operation of the documents, with one tenant's token, on the other's
// objects: answered as for an id that never existed. A new operation on an id
// that this test does not know fails it.
func TestAnotherTenantsObjectsAreUnknown(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	d, err := platform.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	owner, ownerToken, err := platform.LogIn(ctx, d.Company.FirstClient, "", d.Company.Owner)
	if err != nil {
		t.Fatal(err)
	}
	other, err := platform.Register(ctx, "Stranger Ltd")
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := platform.LogIn(ctx, other.FirstClient, "", other.Owner)
	if err != nil {
		t.Fatal(err)
	}
	importTasks(ctx, t, owner, d.Project, "title\nImported\n")
	ids := objectsOf(t, owner)
	ids["/tasks/v1/projects/"], ids["/tasks/v1/tasks/"], ids["/auth/v1/clients/"] = d.Project.String(), d.Task.String(), d.Company.MachineID
	tried := 0
	for _, op := range operations(t) {
		if !strings.Contains(op.path, "{id}") || op.public {
			continue
		}
		prefix, _, _ := strings.Cut(op.path, "{id}")
		id := ids[prefix]
		if id == "" {
			t.Errorf("%s %s: the test knows no object at %s", op.method, op.path, prefix)
			continue
		}
		theirs := send(t, op, id, token.AccessToken)
		none := send(t, op, uuid.NewString(), token.AccessToken)
		if theirs != none || !strings.HasPrefix(theirs, "404 ") {
			t.Errorf("%s %s: another's object is answered\n%s, an unknown one\n%s", op.method, op.path, theirs, none)
		}
		if op.method == http.MethodGet {
			if mine := send(t, op, id, ownerToken.AccessToken); !strings.HasPrefix(mine, "200 ") {
				t.Errorf("%s %s: one's own object is answered %.200s", op.method, op.path, mine)
			}
		}
		tried++
	}
	if tried < 15 {
		t.Errorf("only %d operations were tried", tried)
	}
}

func objectsOf(t *testing.T, owner *bailiwick.ClientWithResponses) map[string]string {
	t.Helper()
	ctx := within(t, time.Minute)
	roles, err := owner.ListRolesWithResponse(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	permissions, err := owner.ListPermissionsWithResponse(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	users, err := owner.ListUsersWithResponse(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	invitations, err := owner.ListInvitationsWithResponse(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	assignments, err := owner.ListAssignmentsWithResponse(ctx, nil)
	if err != nil || assignments.JSON200 == nil || len(assignments.JSON200.Items) == 0 {
		t.Fatalf("assignments: %v", err)
	}
	runs, err := owner.ListReportRunsWithResponse(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	imports, err := owner.ListTaskImportsWithResponse(ctx, nil)
	if err != nil || imports.JSON200 == nil || len(imports.JSON200.Items) == 0 {
		t.Fatalf("imports: %v", err)
	}
	sessions, err := owner.ListMySessionsWithResponse(ctx, nil)
	if err != nil || sessions.JSON200 == nil || len(sessions.JSON200.Items) == 0 {
		t.Fatalf("sessions: %v", err)
	}
	return map[string]string{
		"/auth/v1/me/sessions/":   sessions.JSON200.Items[0].Id.String(),
		"/tasks/v1/task-imports/": imports.JSON200.Items[0].Id.String(),
		"/authz/v1/roles/":        roles.JSON200.Items[1].Id.String(), "/authz/v1/permissions/": permissions.JSON200.Items[0].Id.String(),
		"/authz/v1/assignments/": assignments.JSON200.Items[0].Id.String(),
		"/users/v1/users/":       users.JSON200.Items[0].Id.String(), "/users/v1/invitations/": invitations.JSON200.Items[0].Id.String(),
		"/reports/v1/runs/": runs.JSON200.Items[0].Id.String(),
	}
}

type operation struct {
	method, path string
	shown        string // the path as the document has it
	public       bool
	media        string // the body's type
	body         []byte
	has          map[string]bool   // parameters by name
	query        map[string]string // its examples
	queries      []string          // all that it takes
	must         string            // those that it cannot be without, to go after others
	success      []int
	needs        []string // permissions
}

// uuidOf reads what the platform has answered.
func uuidOf(text string) uuid.UUID { return uuid.MustParse(text) }

// operations reads the merged document; bodies are made of its examples.
func operations(t *testing.T) (all []operation) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "openapi", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths      map[string]map[string]object
		Components struct{ Schemas map[string]object }
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths {
		for method, op := range item {
			o := operation{method: strings.ToUpper(method), path: path, shown: path, has: map[string]bool{}, query: map[string]string{}}
			for code := range op["responses"].(object) {
				if n, err := strconv.Atoi(code); err == nil && n < 300 {
					o.success = append(o.success, n)
				}
			}
			needs, _ := op["x-permission"].([]any)
			for _, p := range needs {
				o.needs = append(o.needs, p.(string))
			}
			parameters, _ := op["parameters"].([]any)
			for _, p := range parameters {
				p := p.(object)
				o.has[p["name"].(string)] = true
				if p["in"] == "query" {
					o.queries = append(o.queries, p["name"].(string))
				}
				if value := example(p["schema"].(object), nil); p["in"] == "query" && value != nil {
					o.query[p["name"].(string)] = fmt.Sprint(value)
					if p["required"] == true {
						o.must += "&" + p["name"].(string) + "=" + fmt.Sprint(value)
					}
				}
				if p["in"] == "path" && p["name"] != "id" { // all but the object's own id
					if value, ok := example(p["schema"].(object), nil).(string); ok {
						o.path = strings.ReplaceAll(o.path, "{"+p["name"].(string)+"}", value)
					}
				}
			}
			security, _ := op["security"].([]any)
			o.public = len(security) == 0
			if body, ok := op["requestBody"].(object); ok {
				contents := body["content"].(object)
				for _, media := range slices.Sorted(maps.Keys(contents)) { // the last is a merge patch, if there is one
					content := contents[media]
					o.media = media
					shown, ok := content.(object)["example"]
					if text, plain := shown.(string); plain {
						o.body = []byte(text)
						continue
					}
					if !ok { // as readers of the document put it together
						shown = example(content.(object)["schema"].(object), doc.Components.Schemas)
					}
					if o.body, err = json.Marshal(shown); err != nil {
						t.Fatal(err)
					}
				}
			}
			all = append(all, o)
		}
	}
	return all
}

func example(schema object, known map[string]object) any {
	if ref, ok := schema["$ref"].(string); ok {
		return example(known[ref[strings.LastIndexByte(ref, '/')+1:]], known)
	}
	if examples, ok := schema["examples"].([]any); ok && len(examples) > 0 {
		return examples[0]
	}
	if items, ok := schema["items"].(object); ok {
		if item := example(items, known); item != nil {
			return []any{item}
		}
		return nil
	}
	properties, ok := schema["properties"].(object)
	if !ok { // it has no example, so it can be left out
		return nil
	}
	out := object{}
	for name, p := range properties {
		if v := example(p.(object), known); v != nil {
			out[name] = v
		}
	}
	return out
}

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

func send(t *testing.T, op operation, id, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t, time.Minute), op.method, platform.URL+strings.ReplaceAll(op.path, "{id}", id), bytes.NewReader(op.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if op.method != http.MethodGet {
		req.Header.Set("If-Match", `"1"`)
	}
	if op.body != nil {
		req.Header.Set("Content-Type", op.media)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + " " + requestID.ReplaceAllString(string(body), "")
}
