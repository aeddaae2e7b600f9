package e2e

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	bailiwick "bailiwick.dev/openapi/sdk/go"
	"bailiwick.dev/tests/story"
)

// forEverybody are the operations that no permission guards, as they concern
// the caller alone or decide item by item. Any other names what it needs.
var forEverybody = []string{
	"GET /users/v1/me", "GET /auth/v1/me/sessions", "DELETE /auth/v1/me/sessions", "DELETE /auth/v1/me/sessions/{id}",
	"POST /auth/v1/me/password", "POST /auth/v1/me/email-verification",
	"GET /authz/v1/me/permissions", "POST /authz/v1/check", "POST /authz/v1/check:batch", "POST /authz/v1/check:explain", "POST /tasks/v1/task-bulk",
}

// Every role tries every operation of the documents, and may exactly what the
// policy gives it. The operations and what they need come from the documents,
// the roles and what they hold from the policy: nothing is left out by hand.
func TestEveryRoleMayWhatThePolicySays(t *testing.T) {
	ctx := within(t, 4*time.Minute)
	c, err := platform.Register(ctx, "Matrix Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, token, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	all := operations(t)
	for _, op := range all {
		if name := op.method + " " + op.shown; !op.public && (len(op.needs) == 0) != slices.Contains(forEverybody, name) {
			t.Errorf("%s needs %v: guarded operations name x-permission, the others are known here", name, op.needs)
		}
	}
	slices.SortStableFunc(all, func(a, b operation) int { return last(a) - last(b) })
	roles, err := owner.ListRolesWithResponse(ctx, nil)
	if err != nil || roles.JSON200 == nil || len(roles.JSON200.Items) != 5 {
		t.Fatalf("roles: %v", err)
	}
	tried, denied := 0, 0
	for _, role := range slices.Backward(roles.JSON200.Items) { // the owner, who ends their sessions at last, invites the others
		as := token.AccessToken
		if role.Name != "owner" {
			as = invited(ctx, t, c, owner, role.Name)
		}
		for _, op := range all {
			if !op.public {
				tried++
				if !attempt(t, op, role, as) {
					denied++
				}
			}
		}
	}
	t.Logf("%d attempts, %d denied", tried, denied)
}

// last is more than zero for what would end the attempts of whoever does it.
func last(op operation) int {
	if op.method == http.MethodDelete && op.shown == "/auth/v1/me/sessions" {
		return 1
	}
	return 0
}

func invited(ctx context.Context, t *testing.T, c *story.Company, owner *bailiwick.ClientWithResponses, role string) string {
	t.Helper()
	who, err := platform.Invite(ctx, c, owner, role, role)
	if err != nil {
		t.Fatalf("invite a %s: %v", role, err)
	}
	_, token, err := platform.LogIn(ctx, c.FirstClient, "", who)
	if err != nil {
		t.Fatalf("log in a %s: %v", role, err)
	}
	return token.AccessToken
}

// attempt returns whether the policy lets the role do op.
func attempt(t *testing.T, op operation, role bailiwick.Role, token string) (may bool) {
	t.Helper()
	may = !slices.ContainsFunc(op.needs, func(p string) bool { return !slices.Contains(role.Permissions, p) })
	switch op.shown {
	case "/authz/v1/check", "/authz/v1/check:explain": // the example is about somebody else
		op.body = []byte(`{"permission":"tasks:read"}`)
	}
	query := url.Values{}
	for name, value := range op.query {
		query.Set(name, value)
	}
	name := op.path
	op.path += "?" + query.Encode()
	got := send(t, op, uuid.NewString(), token)
	denied := strings.HasPrefix(got, "403 ") && strings.Contains(got, "/docs/problems#forbidden")
	if may == denied || !may && !denied || strings.HasPrefix(got, "401 ") || strings.HasPrefix(got, "5") {
		t.Errorf("%s: %s %s, which needs %v, is answered %.300s", role.Name, op.method, name, op.needs, got)
	}
	return may
}
