package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/adapters/postgres/authzdb"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// told is what a problem tells; 0: nothing.
type told struct {
	PolicyVersion int64 `json:"policy_version"`
}

// A problem tells the version of the policy too, as soon as it is known whose.
func TestEveryProblemTellsTheVersion(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	made := resttest.JSON[access.RoleAnswer](t, p.do(t, p.owner, "POST", "/v1/roles", `{"name":"clerk"}`).Want(t, 201))
	role := "/v1/roles/" + made.ID.String()
	p.do(t, p.owner, "POST", "/v1/assignments", `{"subject_kind":"client","subject_id":"robot","role":"clerk"}`).Want(t, 201)
	narrow := p.issuer.Token(t, identity.Caller{Tenant: p.tenant, User: p.ownerID, Scopes: []string{"tasks"}})
	for _, c := range []struct {
		token, method, path, body string
		status                    int
		headers                   []string
	}{
		{p.owner, "GET", "/v1/roles?cursor=x", "", 400, nil},
		{p.owner, "GET", "/v1/roles?name=%FF", "", 400, nil},
		{p.owner, "GET", "/v1/roles?name=a&name=b", "", 422, nil},
		{p.owner, "GET", "/v1/roles", "", 406, []string{"Accept", "text/html"}},
		{p.owner, "POST", "/v1/roles", "", 415, []string{"Content-Encoding", "gzip"}},
		{p.owner, "POST", "/v1/roles", `{`, 400, nil},
		{p.owner, "POST", "/v1/roles", `{"name":"x"}`, 400, []string{"Idempotency-Key", "\n"}},
		{p.member, "GET", "/v1/policy", "", 403, nil},
		{narrow, "GET", "/v1/roles", "", 403, nil},
		{p.owner, "GET", "/v1/roles/" + uuid.NewString(), "", 404, nil},
		{p.owner, "POST", "/v1/roles", `{"name":"clerk"}`, 409, nil},
		{p.owner, "POST", "/v1/check", `{"permission":"tasks:read","min_version":99}`, 409, nil},
		{p.owner, "DELETE", role, "", 409, []string{"If-Match", `"1"`}},
		{p.owner, "PATCH", role, `{}`, 412, []string{"If-Match", `"9"`}},
		{p.owner, "POST", "/v1/roles", `name`, 415, []string{"Content-Type", "text/plain"}},
		{p.owner, "POST", "/v1/roles", `{"nam":"x"}`, 422, nil},
		{p.owner, "POST", "/v1/roles", `{"name":"x","parents":["none"]}`, 422, nil},
		{p.owner, "GET", "/v1/roles?x=y", "", 422, nil},
		{p.owner, "DELETE", role, "", 428, nil},
	} {
		got := resttest.JSON[told](t, p.do(t, c.token, c.method, c.path, c.body, c.headers...).Want(t, c.status))
		if got.PolicyVersion != made.PolicyVersion+1 {
			t.Errorf("%s %s: %d tells %d, want %d", c.method, c.path, c.status, got.PolicyVersion, made.PolicyVersion+1)
		}
	}
	for _, token := range []string{"", "x"} {
		if got := resttest.JSON[told](t, p.do(t, token, "GET", "/v1/roles", nil).Want(t, 401)); got.PolicyVersion != 0 {
			t.Errorf("a stranger is told %d", got.PolicyVersion)
		}
	}
	for _, c := range []struct {
		method, path string
		status       int
	}{ // refused before the token is looked at
		{"GET", "/v1/none", 404},
		{"PUT", "/v1/roles", 405},
	} {
		if got := resttest.JSON[told](t, p.do(t, p.owner, c.method, c.path, nil).Want(t, c.status)); got.PolicyVersion != 0 {
			t.Errorf("%s %s: %d tells %d", c.method, c.path, c.status, got.PolicyVersion)
		}
	}
}

// What has not changed has no body, and still tells the policy's version.
func TestUnchangedTellsTheVersion(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	made := resttest.JSON[access.RoleAnswer](t, p.do(t, p.owner, "POST", "/v1/roles", `{"name":"clerk"}`).Want(t, 201))
	permission := p.do(t, p.owner, "POST", "/v1/permissions", `{"name":"own:thing"}`).Want(t, 201)
	given := p.do(t, p.owner, "POST", "/v1/assignments", `{"subject_kind":"client","subject_id":"robot","role":"clerk"}`).Want(t, 201)
	want := fmt.Sprint(made.PolicyVersion + 2)
	for _, path := range []string{"/v1/policy", "/v1/roles/" + made.ID.String(), strings.TrimPrefix(permission.Header.Get("Location"), "/authz"), strings.TrimPrefix(given.Header.Get("Location"), "/authz")} {
		tag := p.do(t, p.owner, "GET", path, nil).Want(t, 200).Header.Get("ETag")
		if got := p.do(t, p.owner, "GET", path, nil, "If-None-Match", tag).Want(t, 304).Header.Get("Policy-Version"); got != want {
			t.Errorf("%s unchanged tells %q, want %s", path, got, want)
		}
	}
}

// Who comes too late learns of a version that this process has not heard of:
// here, of another replica's.
func TestLateWriterIsToldOfTheVersionInItsWay(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	made := resttest.JSON[access.RoleAnswer](t, p.do(t, p.owner, "POST", "/v1/roles", `{"name":"clerk"}`).Want(t, 201))
	role, who := "/v1/roles/"+made.ID.String(), identity.Caller{Tenant: p.tenant, User: p.ownerID}
	store := authzdb.New(p.database.App, p.database.System)
	replica := access.NewService(store, casbin.NewPolicies(store), &p.people, casbin.Compile)
	for version := int64(1); version < 4; version++ { // a slow machine may ask for the policy in between once
		p.do(t, p.owner, "POST", "/v1/check", `{"permission":"tasks:read"}`).Want(t, 200)
		name := fmt.Sprint("clerk ", version)
		changed, err := replica.UpdateRole(t.Context(), who, made.ID, version, access.RolePatch{Name: &name})
		if err != nil {
			t.Fatal(err)
		}
		got := resttest.JSON[told](t, p.do(t, p.owner, "PATCH", role, `{}`, "If-Match", fmt.Sprintf("%q", fmt.Sprint(version))).Want(t, 412))
		if got.PolicyVersion != changed.PolicyVersion {
			t.Errorf("told %d, want %d", got.PolicyVersion, changed.PolicyVersion)
		}
	}
}

// Each document of a success, and the header of one that has none, names the version.
func TestEveryOperationDocumentsTheVersion(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Headers map[string]any
				Content map[string]struct {
					Schema struct {
						Ref string `json:"$ref"`
					}
				}
			}
		}
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(p.do(t, "", http.MethodGet, "/openapi.json", nil).Want(t, 200).Body, &doc); err != nil || len(doc.Paths) < 10 {
		t.Fatal(err, len(doc.Paths))
	}
	for path, operations := range doc.Paths {
		for method, o := range operations {
			for status, r := range o.Responses {
				said := r.Headers["Policy-Version"] != nil
				for _, c := range r.Content {
					said = doc.Components.Schemas[c.Schema.Ref[len("#/components/schemas/"):]].Properties["policy_version"] != nil
				}
				if !said {
					t.Errorf("%s %s: %s tells no version", method, path, status)
				}
			}
		}
	}
}
