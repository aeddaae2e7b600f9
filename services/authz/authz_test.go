package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/authzdb"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/access/conformance"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/identity"
)

// platform is one service on a database of its own, with one seeded tenant.
type platform struct {
	handler              http.Handler
	access               *access.Service
	people               accessfake.People
	changes              changes
	database             pgtest.Database
	issuer               *resttest.Issuer
	tenant               uuid.UUID
	owner, member, inner string // tokens
	ownerID, memberID    uuid.UUID
}

func newPlatform(t testing.TB) *platform {
	t.Helper()
	p := &platform{issuer: resttest.NewIssuer(t), tenant: uuid.New(), ownerID: uuid.New(), memberID: uuid.New()}
	db := pgtest.New(t, "authz", authzdb.Migrations)
	p.database = db
	store := authzdb.New(db.App, db.System)
	p.access = access.NewService(store, casbin.NewPolicies(store), &p.people, casbin.Compile)
	cfg := config.Server{PublicURL: "http://api.test", CursorKey: []byte("0123456789abcdef0123456789abcdef")}
	p.handler = surface(cfg, p.issuer.Verifier(), nil, p.access, &p.changes, nil).Handler()
	p.inner = p.issuer.Token(t, identity.Caller{Tenant: p.tenant, Client: "svc-users", Scopes: []string{identity.PlatformScope}})
	p.owner, p.member = p.person(t, p.tenant, p.ownerID), p.person(t, p.tenant, p.memberID)
	for service, all := range map[string][]access.Declared{"authz": access.Declarations, "others": conformance.Platform[len(access.Declarations):]} {
		p.do(t, p.inner, "PUT", "/v1/platform/permissions/"+service, map[string]any{"permissions": all}).Want(t, 204)
	}
	p.do(t, p.inner, "PUT", "/v1/platform/seed", nil).Want(t, 204)
	for id, role := range map[uuid.UUID]string{p.ownerID: access.Owner, p.memberID: access.Member} {
		p.do(t, p.inner, "PUT", "/v1/platform/assignments", map[string]string{"subject_kind": "user", "subject_id": id.String(), "role": role}).Want(t, 204)
	}
	return p
}

func (p *platform) person(t testing.TB, tenant, id uuid.UUID) string {
	return p.issuer.Token(t, identity.Caller{Tenant: tenant, User: id, Scopes: []string{"authz"}})
}

func (p *platform) do(t testing.TB, token, method, path string, body any, headers ...string) resttest.Response {
	t.Helper()
	return resttest.Do(t, p.handler, token, method, "/authz"+path, body, headers...)
}

func TestRoleLivesFromCreationToDeletion(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	made := p.do(t, p.owner, "POST", "/v1/roles", map[string]any{"name": "clerk", "permissions": []string{"tasks:read"}}).Want(t, 201)
	at := strings.TrimPrefix(made.Header.Get("Location"), "/authz")
	p.do(t, p.owner, "PUT", at+"/permissions", `{"permissions":["tasks:read","tasks:write"]}`).Want(t, 428)
	p.do(t, p.owner, "PUT", at+"/permissions", `{"permissions":["no:such"]}`, "If-Match", `"1"`).Want(t, 422)
	set := p.do(t, p.owner, "PUT", at+"/permissions", `{"permissions":["tasks:read","tasks:write"]}`, "If-Match", `"1"`).Want(t, 200)
	if got := resttest.JSON[access.Role](t, set); len(got.Permissions) != 2 || set.Header.Get("ETag") != `"2"` {
		t.Errorf("after setting: %+v, ETag %s", got, set.Header.Get("ETag"))
	}
	p.do(t, p.owner, "PATCH", at, `{"description":"x"}`, "If-Match", `"1"`).Want(t, 412)
	for _, body := range []string{`{"tenant_id":"x"}`, `{"name":null}`, `{"description":null}`, `{"parents":null}`} {
		p.do(t, p.owner, "PATCH", at, body, "If-Match", `"2"`).Want(t, 422)
	}
	p.do(t, p.owner, "DELETE", at, nil, "If-Match", `"2"`).Want(t, 204)
	p.do(t, p.owner, "GET", at, nil).Want(t, 404)
}

func TestPolicyDecidesAndAMemberMayNotChangeIt(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for perm, want := range map[string]bool{"tasks:write": true, "users:invite": false, "no:such": false} {
		got := resttest.JSON[access.Decision](t, p.do(t, p.member, "POST", "/v1/check", map[string]string{"permission": perm}).Want(t, 200))
		if got.Allowed != want || got.PolicyVersion == 0 {
			t.Errorf("%s: %+v, want %v", perm, got, want)
		}
	}
	p.do(t, p.member, "POST", "/v1/check", map[string]string{"permission": "tasks:read", "subject_kind": "user", "subject_id": p.ownerID.String()}).Want(t, 403)
	p.do(t, p.member, "POST", "/v1/roles", map[string]any{"name": "mine"}).Want(t, 403)
	p.do(t, p.member, "POST", "/v1/assignments", map[string]string{"subject_kind": "user", "subject_id": p.memberID.String(), "role": "owner"}).Want(t, 403)
	p.do(t, p.owner, "DELETE", "/v1/assignments/user/"+p.ownerID.String()+"/owner", nil).Want(t, 409)
	p.do(t, "", "GET", "/v1/roles", nil).Want(t, 401)
	p.do(t, p.owner, "PUT", "/v1/platform/seed", nil).Want(t, 403)
}

func TestAssignmentEndsByVersion(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	made := p.do(t, p.owner, "POST", "/v1/assignments", `{"subject_kind":"client","subject_id":"robot","role":"viewer"}`).Want(t, 201)
	again := p.do(t, p.owner, "POST", "/v1/assignments", `{"subject_kind":"client","subject_id":"robot","role":"viewer"}`).Want(t, 200)
	if string(again.Body) != string(made.Body) || again.Header.Get("Location") != made.Header.Get("Location") {
		t.Errorf("given again: %s, want %s", again.Body, made.Body)
	}
	key := []string{"Idempotency-Key", "once"}
	for range 2 { // what was made stays made
		p.do(t, p.owner, "POST", "/v1/assignments", `{"subject_kind":"client","subject_id":"other","role":"viewer"}`, key...).Want(t, 201)
	}
	p.do(t, p.owner, "POST", "/v1/assignments", `{"subject_kind":"client","subject_id":"other","role":"viewer","until":"2099-01-01T00:00:00Z"}`).Want(t, 200)
	at := strings.TrimPrefix(made.Header.Get("Location"), "/authz")
	if got := p.do(t, p.owner, "GET", at, nil).Want(t, 200); got.Header.Get("ETag") != `"1"` || made.Header.Get("ETag") != `"1"` {
		t.Errorf("ETags %s and %s, want \"1\"", made.Header.Get("ETag"), got.Header.Get("ETag"))
	}
	body := `{"until":"2099-01-01T00:00:00Z"}`
	p.do(t, p.owner, "PATCH", at, body).Want(t, 428)
	set := p.do(t, p.owner, "PATCH", at, body, "If-Match", `"1"`).Want(t, 200)
	if got := resttest.JSON[access.AssignmentAnswer](t, set); got.Until == nil || set.Header.Get("ETag") != `"2"` || got.PolicyVersion == 0 {
		t.Errorf("%+v, ETag %s", got, set.Header.Get("ETag"))
	}
	p.do(t, p.owner, "PATCH", at, body, "If-Match", `"1"`).Want(t, 412)
	p.do(t, p.owner, "PATCH", at, `{"role":"owner"}`, "If-Match", `"2"`).Want(t, 422)
	p.do(t, p.owner, "PATCH", at, `{"until":null}`, "If-Match", `"2"`).Want(t, 200)
	p.do(t, p.member, "PATCH", at, body, "If-Match", `"3"`).Want(t, 403)
}

// Whatever a name holds, it is data: it matches itself alone.
func TestNamesAreData(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for i, name := range []string{"a, b", `"quoted"`, "two\nlines", "*", ".*", "g, user, owner", "a/b", "100% ?#"} {
		p.do(t, p.owner, "POST", "/v1/roles", map[string]any{"name": name, "permissions": []string{"tenant:read"}}).Want(t, 201)
		user := uuid.New()
		p.do(t, p.owner, "POST", "/v1/assignments", map[string]string{"subject_kind": "user", "subject_id": user.String(), "role": name}).Want(t, 201)
		for perm, want := range map[string]bool{"tenant:read": true, "tenant:write": false} {
			d := resttest.JSON[access.Decision](t, p.do(t, p.person(t, p.tenant, user), "POST", "/v1/check", map[string]string{"permission": perm}).Want(t, 200))
			if d.Allowed != want {
				t.Errorf("role %d %q: %s = %v", i, name, perm, d.Allowed)
			}
		}
		p.do(t, p.owner, "DELETE", fmt.Sprintf("/v1/assignments/user/%s/%s", user, url.PathEscape(name)), nil).Want(t, 204)
		d := resttest.JSON[access.Decision](t, p.do(t, p.person(t, p.tenant, user), "POST", "/v1/check", map[string]string{"permission": "tenant:read"}))
		if d.Allowed {
			t.Errorf("role %q taken away still holds", name)
		}
	}
}

func TestAnotherTenantIsUnknown(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	made := p.do(t, p.owner, "POST", "/v1/roles", map[string]any{"name": "clerk"}).Want(t, 201)
	at := strings.TrimPrefix(made.Header.Get("Location"), "/authz")
	other := uuid.New()
	inner := p.issuer.Token(t, identity.Caller{Tenant: other, Client: "svc-users", Scopes: []string{identity.PlatformScope}})
	p.do(t, inner, "PUT", "/v1/platform/seed", nil).Want(t, 204)
	boss := uuid.New()
	p.do(t, inner, "PUT", "/v1/platform/assignments", map[string]string{"subject_kind": "user", "subject_id": boss.String(), "role": "owner"}).Want(t, 204)
	p.do(t, p.person(t, other, boss), "GET", at, nil).Want(t, 404)
	p.do(t, p.person(t, other, boss), "DELETE", at, nil, "If-Match", `"1"`).Want(t, 404)
	page := resttest.JSON[rest.Page[access.Role]](t, p.do(t, p.owner, "GET", "/v1/roles?limit=1", nil).Want(t, 200))
	p.do(t, p.owner, "GET", "/v1/roles?limit=1&cursor="+page.NextCursor, nil).Want(t, 200)
	p.do(t, p.person(t, other, boss), "GET", "/v1/roles?limit=1&cursor="+page.NextCursor, nil).Want(t, 400)
}

func TestDocumentShowsNothingInternal(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/authz/openapi.json", nil))
	if strings.Contains(w.Body.String(), "platform/") || !strings.Contains(w.Body.String(), "/authz/v1/check") {
		t.Error("the document shows internal operations, or no public ones")
	}
}

func TestPermissionChangesByVersion(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	made := p.do(t, p.owner, "POST", "/v1/permissions", `{"name":"invoices:read"}`).Want(t, 201)
	at := strings.TrimPrefix(made.Header.Get("Location"), "/authz")
	p.do(t, p.owner, "PATCH", at, `{"description":"x"}`).Want(t, 428)
	p.do(t, p.owner, "PATCH", at, `{"name":"other:read"}`, "If-Match", `"1"`).Want(t, 422)
	p.do(t, p.owner, "PATCH", at, `{"description":"x"}`, "If-Match", `"1"`).Want(t, 200)
	for _, same := range []string{`{"description":"x"}`, `{}`} { // what says nothing new makes no version
		if got := p.do(t, p.owner, "PATCH", at, same, "If-Match", `"2"`).Want(t, 200); got.Header.Get("ETag") != `"2"` {
			t.Errorf("%s: ETag %s, want \"2\"", same, got.Header.Get("ETag"))
		}
	}
	p.do(t, p.owner, "DELETE", at, nil).Want(t, 428)
	p.do(t, p.owner, "DELETE", at, nil, "If-Match", `"1"`).Want(t, 412)
	if r := p.do(t, p.owner, "DELETE", at, nil, "If-Match", `"2"`).Want(t, 204); r.Header.Get("Policy-Version") == "" {
		t.Error("a deletion tells no version")
	}
	p.do(t, p.owner, "GET", at, nil).Want(t, 404)
}

// A single permission is a resource of its own, whatever its name holds.
func TestRoleIsGivenAndTakenSinglePermissions(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	at := strings.TrimPrefix(p.do(t, p.owner, "POST", "/v1/roles", `{"name":"clerk"}`).Want(t, 201).Header.Get("Location"), "/authz") + "/permissions"
	for i, name := range []string{"tasks:read", "a/b:c,d", "x:*", "q:?#%"} {
		if i > 0 {
			p.do(t, p.owner, "POST", "/v1/permissions", map[string]string{"name": name}).Want(t, 201)
		}
		one, tag := at+"/"+url.PathEscape(name), func(n int) string { return fmt.Sprintf("%q", fmt.Sprint(n)) }
		p.do(t, p.owner, "PUT", one, nil).Want(t, 428)
		p.do(t, p.owner, "PUT", one, nil, "If-Match", tag(2*i+1)).Want(t, 200)
		if list := resttest.JSON[Listing[access.PermissionDefinition]](t, p.do(t, p.owner, "GET", at, nil).Want(t, 200)); len(list.Items) != 1 || string(list.Items[0].Name) != name || list.PolicyVersion == 0 {
			t.Errorf("%q: listed %+v", name, list)
		}
		p.do(t, p.owner, "DELETE", one, nil, "If-Match", tag(2*i+1)).Want(t, 412)
		p.do(t, p.owner, "DELETE", one, nil, "If-Match", tag(2*i+2)).Want(t, 200)
	}
}

// A problem about what the address names says which parameter that is.
func TestProblemPointsIntoTheAddress(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	role := strings.TrimPrefix(p.do(t, p.owner, "POST", "/v1/roles", `{"name":"clerk"}`).Want(t, 201).Header.Get("Location"), "/authz")
	for _, c := range [][]string{{"PUT", role + "/permissions/no:such", "permission"}, {"DELETE", "/v1/assignments/user/x/viewer", "subject_id"}} {
		got := resttest.JSON[rest.Problem](t, p.do(t, p.owner, c[0], c[1], nil, "If-Match", `"1"`).Want(t, 422))
		if len(got.Errors) != 1 || got.Errors[0].Parameter != c[2] || got.Errors[0].Pointer != "" {
			t.Errorf("%s %s: %+v, want the parameter %s", c[0], c[1], got.Errors, c[2])
		}
	}
}

// Whatever a token says of roles, the policy alone has them.
func TestTokenGivesNoRole(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	claims := p.issuer.Claims(identity.Caller{Tenant: p.tenant, User: p.memberID, Client: "web", Scopes: []string{"authz"}})
	for _, name := range []string{"role", "roles", "groups", "permissions", "assignments", "entitlements"} {
		claims[name] = []string{"owner", "roles:write"}
	}
	token := p.issuer.Sign(t, "at+jwt", claims, nil)
	p.do(t, token, "POST", "/v1/roles", `{"name":"clerk"}`).Want(t, 403)
	if held := resttest.JSON[access.Held](t, p.do(t, token, "GET", "/v1/me/permissions", nil).Want(t, 200)); slices.Contains(held.Permissions, access.RolesWrite) {
		t.Errorf("a member holds %v", held.Permissions)
	}
}

// Every answer carries the version, and a check by it sees the write.
func TestWriterSeesItsWrite(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	guest := uuid.New()
	token := p.person(t, p.tenant, guest)
	p.do(t, token, "POST", "/v1/check", `{"permission":"tasks:read"}`).Want(t, 200) // so that a policy is remembered
	given := resttest.JSON[access.AssignmentAnswer](t, p.do(t, p.owner, "POST", "/v1/assignments", map[string]string{"subject_kind": "user", "subject_id": guest.String(), "role": "viewer"}).Want(t, 201))
	check := map[string]any{"permission": "tasks:read", "min_version": given.PolicyVersion}
	d := resttest.JSON[access.Decision](t, p.do(t, token, "POST", "/v1/check", check).Want(t, 200))
	if !d.Allowed || d.PolicyVersion < given.PolicyVersion {
		t.Errorf("%+v, want allowed by version %d", d, given.PolicyVersion)
	}
	check["min_version"] = given.PolicyVersion + 1
	p.do(t, token, "POST", "/v1/check", check).Want(t, 409)
	mine := resttest.JSON[access.Held](t, p.do(t, token, "GET", fmt.Sprintf("/v1/me/permissions?min_version=%d", given.PolicyVersion), nil).Want(t, 200))
	if len(mine.Permissions) != 3 || mine.PolicyVersion < given.PolicyVersion {
		t.Errorf("a viewer holds %+v", mine)
	}
	changes := resttest.JSON[Listing[access.Change]](t, p.do(t, p.owner, "GET", fmt.Sprintf("/v1/policy-changes?since=%d", given.PolicyVersion-1), nil).Want(t, 200))
	if len(changes.Items) != 1 || changes.Items[0].Action != "assignment.created" || changes.Items[0].By != "user:"+p.ownerID.String() {
		t.Errorf("changes %+v, want the assignment", changes.Items)
	}
}

// What is wrong by itself is refused by the document, which speaks of what it expected.
func TestDocumentSaysWhatIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	for _, c := range [][]string{
		{"/v1/check", `{"permission":"tasks:read","subject_kind":"robot","subject_id":"x"}`, "/subject_kind", "invalid_value"},
		{"/v1/check", `{"permission":"tasks:read","project_id":"x"}`, "/project_id", "invalid_format"},
		{"/v1/check:explain", `{"permission":"tasks:read","subject_kind":"robot","subject_id":"x"}`, "/subject_kind", "invalid_value"},
		{"/v1/check:explain", `{"permission":"tasks:read","project_id":"x"}`, "/project_id", "invalid_format"},
		{"/v1/policy:dry-run", `{"put":{"assignments":[{"subject_kind":"robot","subject_id":"x","role":"member"}]}}`, "/put/assignments/0/subject_kind", "invalid_value"},
		{"/v1/policy:dry-run", `{"put":{"assignments":[{"subject_kind":"client","subject_id":"","role":"member"}]}}`, "/put/assignments/0/subject_id", "out_of_range"},
		{"/v1/policy:dry-run", `{"put":{"permissions":[{"name":"invoices"}]}}`, "/put/permissions/0/name", "invalid_format"},
		{"/v1/permissions", `{"name":":read"}`, "/name", "invalid_format"},
		{"/v1/permissions", `{"name":"invoices:"}`, "/name", "invalid_format"},
		{"/v1/roles", `{"name":".."}`, "/name", "invalid_format"},
	} {
		got := resttest.JSON[rest.Problem](t, p.do(t, p.owner, "POST", c[0], c[1]).Want(t, 422))
		if got.Detail != "validation failed" || len(got.Errors) != 1 || got.Errors[0].Pointer != c[2] || got.Errors[0].Code != c[3] {
			t.Errorf("%s %s: %s, %+v, want %s at %s", c[0], c[1], got.Detail, got.Errors, c[3], c[2])
		}
	}
	for _, name := range []string{"a:b", "invoices:read:all", "x:\n"} {
		p.do(t, p.owner, "POST", "/v1/permissions", map[string]string{"name": name}).Want(t, 201)
	}
	for _, name := range []string{"...", "a.", "\n"} {
		p.do(t, p.owner, "POST", "/v1/roles", map[string]string{"name": name}).Want(t, 201)
	}
}

func TestBatchAnswersEachItem(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	item := func(id, more string) string { return fmt.Sprintf(`{"id":%q,"permission":"tasks:read"%s}`, id, more) }
	body := `{"items":[` + strings.Join([]string{
		item("mine", ""), item("other", `,"subject_kind":"user","subject_id":"`+p.ownerID.String()+`"`), item("kind", `,"subject_kind":"robot","subject_id":"x"`),
		item("project", `,"project_id":"x"`), `{"id":"none","permission":"no:such"}`}, ",") + `]}`
	got := resttest.JSON[CheckResults](t, p.do(t, p.member, "POST", "/v1/check:batch", body).Want(t, 200))
	want := map[string]string{"mine": "", "other": "forbidden /items/1", "kind": "unknown_kind /items/2/subject_kind", "project": "malformed /items/3/project_id", "none": ""}
	if len(got.Results) != len(want) || got.PolicyVersion == 0 {
		t.Fatalf("%+v", got)
	}
	for _, r := range got.Results {
		said := ""
		if r.Error != nil {
			said = r.Error.Code + " " + r.Error.Pointer
		}
		if said != want[r.ID] || r.Allowed != (r.ID == "mine") {
			t.Errorf("%s: %v, %q, want %q", r.ID, r.Allowed, said, want[r.ID])
		}
	}
	most := make([]string, access.MaxChecks)
	for i := range most {
		most[i] = item(fmt.Sprint(i), "")
	}
	if all := resttest.JSON[CheckResults](t, p.do(t, p.member, "POST", "/v1/check:batch", `{"items":[`+strings.Join(most, ",")+`]}`).Want(t, 200)); len(all.Results) != len(most) || all.Results[999].ID != "999" || !all.Results[999].Allowed {
		t.Errorf("%d answers to %d questions", len(all.Results), len(most))
	}
	p.do(t, p.member, "POST", "/v1/check:batch", `{"items":[]}`).Want(t, 422)
	p.do(t, p.member, "POST", "/v1/check:batch", `{"items":[`+item("x", "")+","+item("x", "")+`]}`).Want(t, 422)
	many := strings.Repeat(item("x", "")+",", 1000) + item("x", "")
	p.do(t, p.member, "POST", "/v1/check:batch", `{"items":[`+many+`]}`).Want(t, 422)
	p.do(t, p.member, "GET", "/v1/check:batch", nil).Want(t, 405)
}

func TestPolicyIsOneDocument(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	p.do(t, p.member, "GET", "/v1/policy", nil).Want(t, 403)
	first := p.do(t, p.owner, "GET", "/v1/policy", nil).Want(t, 200)
	tag := first.Header.Get("ETag")
	p.do(t, p.owner, "GET", "/v1/policy", nil, "If-None-Match", tag).Want(t, http.StatusNotModified)
	d := resttest.JSON[access.DocumentAnswer](t, first).Document
	d.Roles = append(d.Roles, access.RoleDraft{Name: "clerk", Parents: []string{"viewer"}})
	d.Assignments = append(d.Assignments, access.DocumentAssignment{SubjectKind: "client", SubjectID: "robot", Role: "clerk"})
	effect := resttest.JSON[access.Effect](t, p.do(t, p.owner, "POST", "/v1/policy:dry-run", d).Want(t, 200))
	if len(effect.Subjects) != 1 || effect.Subjects[0].SubjectID != "robot" || len(effect.Subjects[0].Gains) != 3 {
		t.Errorf("a dry run tells %+v", effect)
	}
	single := `{"put":{"assignments":[{"subject_kind":"client","subject_id":"robot","role":"member"}]},"drop":{"roles":["manager"]}}`
	effect = resttest.JSON[access.Effect](t, p.do(t, p.owner, "POST", "/v1/policy:dry-run", single).Want(t, 200))
	if len(effect.Subjects) != 1 || effect.Subjects[0].SubjectID != "robot" {
		t.Errorf("a dry run of single things tells %+v", effect)
	}
	p.do(t, p.owner, "POST", "/v1/policy:dry-run", `{"drop":{"roles":["none"]}}`).Want(t, 422)
	refused := p.do(t, p.owner, "DELETE", "/v1/assignments/client/svc-reports/viewer", nil).Want(t, 409)
	if !strings.Contains(string(refused.Body), "#platform_assignment") {
		t.Errorf("the reports service would lose its role: %s", refused.Body)
	}
	p.do(t, p.owner, "PUT", "/v1/policy", d).Want(t, 428)
	p.do(t, p.owner, "PUT", "/v1/policy", d, "If-Match", `"1"`).Want(t, 412)
	if next := p.do(t, p.owner, "PUT", "/v1/policy", d, "If-Match", tag).Want(t, 200); next.Header.Get("ETag") == tag {
		t.Error("the ETag stays after an import")
	}
	p.do(t, p.owner, "PUT", "/v1/policy", d, "If-Match", tag).Want(t, 412)
	until := time.Now().Add(3 * time.Second)
	p.do(t, p.owner, "POST", "/v1/assignments", map[string]any{"subject_kind": "client", "subject_id": "temp", "role": "member", "until": until}).Want(t, 201)
	before := p.do(t, p.owner, "GET", "/v1/policy", nil, "Accept-Encoding", "gzip").Want(t, 200).Header.Get("ETag")
	p.do(t, p.owner, "GET", "/v1/policy", nil, "If-None-Match", before).Want(t, 304)
	time.Sleep(time.Until(until))
	if after := p.do(t, p.owner, "GET", "/v1/policy", nil, "If-None-Match", before).Want(t, 200); strings.Contains(string(after.Body), `"temp"`) {
		t.Errorf("what is over is exported: %s", after.Body)
	}
	p.do(t, p.owner, "PUT", "/v1/policy", d, "If-Match", before).Want(t, 200)
	d.Roles[len(d.Roles)-1].Permissions = []access.Permission{"no:such"}
	wrong := p.do(t, p.owner, "POST", "/v1/policy:dry-run", d).Want(t, 422)
	if want := fmt.Sprintf(`"pointer":"/roles/%d/permissions/0"`, len(d.Roles)-1); !strings.Contains(string(wrong.Body), want) {
		t.Errorf("%s, want %s", wrong.Body, want)
	}
	holders := resttest.JSON[Listing[access.Reason]](t, p.do(t, p.owner, "GET", "/v1/holders?permission=tasks:read", nil).Want(t, 200))
	if len(holders.Items) != 4 || strings.Join(holders.Items[3].Path, " ") != "clerk viewer" {
		t.Errorf("holders: %+v", holders.Items)
	}
	for _, path := range []string{"/v1/holders", "/v1/holders?permission="} {
		nobody := resttest.JSON[rest.Problem](t, p.do(t, p.owner, "GET", path, nil).Want(t, 422))
		if len(nobody.Errors) != 1 || nobody.Errors[0].Parameter != "permission" || nobody.Errors[0].Code != "required" {
			t.Errorf("%s is refused with %+v", path, nobody.Errors)
		}
	}
	why := resttest.JSON[access.Explanation](t, p.do(t, p.owner, "POST", "/v1/check:explain", `{"permission":"tasks:write","subject_kind":"client","subject_id":"robot"}`).Want(t, 200))
	if why.Allowed || why.Missing != access.MissingInRoles || len(why.HeldBy) == 0 {
		t.Errorf("explained: %+v", why)
	}
}

// A service that starts declares its permissions, and every tenant has them.
func TestTenantsLearnWhatAServiceDeclares(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	ctx, stop := context.WithCancel(t.Context())
	g, done := newGrowth(p.access), make(chan struct{})
	go func() { defer close(done); g.run(ctx) }()
	defer func() { stop(); <-done }()
	body := `{"permissions":[{"name":"invoices:read","description":"See invoices","least":"viewer"}]}`
	p.do(t, p.owner, "PUT", "/v1/platform/permissions/invoices", body).Want(t, 403)
	p.do(t, p.inner, "PUT", "/v1/platform/permissions/invoices", body).Want(t, 204)
	p.do(t, p.inner, "PUT", "/v1/platform/permissions/bills", body).Want(t, 409)
	g.news()
	for range 500 {
		d := resttest.JSON[access.Decision](t, p.do(t, p.member, "POST", "/v1/check", `{"permission":"invoices:read"}`).Want(t, 200))
		if d.Allowed {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no tenant learnt it")
}
