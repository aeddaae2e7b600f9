package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/access"
)

// filled returns the document of a policy of so many bytes: names that grow
// sixfold when they are escaped, in as many roles as that takes.
func filled(t *testing.T, d access.Document, size int) access.Document {
	t.Helper()
	for i := range access.MaxOwnPermissions {
		d.Permissions = append(d.Permissions, access.PermissionDraft{Name: access.Permission(fmt.Sprintf("%s:%04d", strings.Repeat("<", 95), i))})
	}
	for i, r := range d.Roles {
		if r.Name == access.Owner || r.Name == access.Admin {
			for _, p := range d.Permissions {
				d.Roles[i].Permissions = append(d.Roles[i].Permissions, p.Name)
			}
		}
	}
	length := func() int {
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return len(raw)
	}
	for i, each := 0, len(fmt.Sprintf("%q,", strings.Repeat("<", 95)+":0000"))+95*5; ; i++ {
		r := access.RoleDraft{Name: fmt.Sprint("role ", i)}
		d.Roles = append(d.Roles, r)
		left := size - length() - len(`,"permissions":[],"description":""`)
		for _, p := range d.Permissions[:min(len(d.Permissions), left/each)] {
			r.Permissions = append(r.Permissions, p.Name)
		}
		if d.Roles[len(d.Roles)-1] = r; len(r.Permissions) < len(d.Permissions) {
			break
		}
	}
	if left := size - length() - len(`"description":"",`); left > 0 {
		d.Roles[len(d.Roles)-1].Description = strings.Repeat("<", left/6) + strings.Repeat("x", left%6)
	}
	if length() != size {
		t.Fatalf("%d bytes, want %d", length(), size)
	}
	return d
}

// The largest policy there can be is exported, and imported again as it was.
func TestLargestPolicyGoesOutAndInAgain(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	first := p.do(t, p.owner, "GET", "/v1/policy", nil).Want(t, 200)
	d := filled(t, resttest.JSON[access.DocumentAnswer](t, first).Document, access.MaxDocument)
	made := p.do(t, p.owner, "PUT", "/v1/policy", d, "If-Match", first.Header.Get("ETag")).Want(t, 200)
	out := p.do(t, p.owner, "GET", "/v1/policy", nil).Want(t, 200)
	if got := p.do(t, p.owner, "PUT", "/v1/policy", string(out.Body), "If-Match", made.Header.Get("ETag")).Want(t, 200); got.Header.Get("ETag") != made.Header.Get("ETag") {
		t.Errorf("what was exported changes the policy: %s after %s", got.Header.Get("ETag"), made.Header.Get("ETag"))
	}
	effect := resttest.JSON[access.Effect](t, p.do(t, p.owner, "POST", "/v1/policy:dry-run", string(out.Body)).Want(t, 200))
	if len(effect.Subjects) != 0 {
		t.Errorf("what was exported would change something for %d", len(effect.Subjects))
	}
	last := resttest.JSON[Listing[access.Role]](t, p.do(t, p.owner, "GET", "/v1/roles?name=member", nil).Want(t, 200)).Items[0]
	role, tag := "/v1/roles/"+last.ID.String(), fmt.Sprintf("%q", fmt.Sprint(last.Version))
	for _, more := range [][]string{
		{"POST", "/v1/roles", `{"name":"x"}`},
		{"PATCH", role, `{"name":"members"}`}, // which the assignments name, too
		{"PATCH", role, `{"description":"longer than it was by this much"}`},
		{"POST", "/v1/assignments", `{"subject_kind":"client","subject_id":"robot","role":"viewer"}`},
		{"POST", "/v1/policy:dry-run", `{"put":{"roles":[{"name":"x"}]}}`},
	} {
		if r := p.do(t, p.owner, more[0], more[1], more[2], "If-Match", tag).Want(t, 409); !strings.Contains(string(r.Body), "#policy_too_large") {
			t.Errorf("%v: %s", more, r.Body)
		}
	}
	p.do(t, p.owner, "POST", "/v1/permissions", `{"name":"one:more"}`).Want(t, 409)
	d.Roles[len(d.Roles)-1].Name += "x"
	p.do(t, p.owner, "PUT", "/v1/policy", d, "If-Match", made.Header.Get("ETag")).Want(t, 409)
	p.do(t, p.owner, "DELETE", "/v1/assignments/user/"+p.memberID.String()+"/member", nil).Want(t, 204)
	p.do(t, p.owner, "POST", "/v1/assignments", `{"subject_kind":"client","subject_id":"robot","role":"viewer"}`).Want(t, 201)
}
