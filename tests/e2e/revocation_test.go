package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	bailiwick "bailiwick.dev/openapi/sdk/go"
	"bailiwick.dev/tests/story"
)

// reads are one operation of each service.
var reads = []string{"/auth/v1/clients", "/auth/userinfo", "/users/v1/me", "/authz/v1/roles", "/tasks/v1/tasks", "/reports/v1/runs"}

// A person who is disabled, logs out everywhere or changes the password, and a
// tenant that is suspended, are refused by every service within two seconds, and
// given no new token from the first moment.
func TestRevocationReachesEveryService(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	c, err := platform.Register(ctx, "Revoked Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, ownerToken, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.Equip(ctx, c, owner); err != nil {
		t.Fatal(err)
	}
	grace, err := platform.Invite(ctx, c, owner, "Grace Hopper", "admin")
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := platform.LogIn(ctx, c.FirstClient, "", grace)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range reads {
		for get(t, path, token.AccessToken) != http.StatusOK { // the role is known everywhere within a second
			if ctx.Err() != nil {
				t.Fatalf("before: %s does not answer", path)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	me, err := owner.ListUsersWithResponse(ctx, nil)
	if err != nil || me.JSON200 == nil || len(me.JSON200.Items) != 2 {
		t.Fatalf("the company's people: %v", err)
	}
	if got, err := owner.DisableUserWithResponse(ctx, me.JSON200.Items[1].Id, nil); err != nil || got.StatusCode() != http.StatusOK {
		t.Fatalf("disable: %v %v", got.Status(), err)
	}
	refused(t, "a disabled person", token.AccessToken)
	if status := refresh(t, c.FirstClient, token.RefreshToken); status != http.StatusBadRequest {
		t.Errorf("a disabled person's refresh is answered %d", status)
	}
	for _, path := range reads {
		if got := get(t, path, ownerToken.AccessToken); got != http.StatusOK {
			t.Errorf("somebody else: %s is answered %d", path, got)
		}
	}
	ownEnds(ctx, t, c)
	if _, ownerToken, err = platform.LogIn(ctx, c.FirstClient, "", c.Owner); err != nil {
		t.Fatal(err)
	}
	operate(t, c.ID, "suspend")
	refused(t, "a suspended tenant", ownerToken.AccessToken)
	if status := refresh(t, c.FirstClient, ownerToken.RefreshToken); status == http.StatusOK {
		t.Error("a suspended tenant's refresh is answered 200")
	}
	operate(t, c.ID, "resume")
	if _, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner); err != nil {
		t.Errorf("after resumption: %v", err)
	}
}

// ownEnds ends the owner's tokens as the owner can, and leaves the password as it was.
func ownEnds(ctx context.Context, t *testing.T, c *story.Company) {
	t.Helper()
	other := c.Owner
	other.Password = "another " + c.Owner.Password
	change := func(from, to story.Person) func(*bailiwick.ClientWithResponses) (int, error) {
		return func(api *bailiwick.ClientWithResponses) (int, error) {
			got, err := api.ChangeMyPasswordWithResponse(ctx, nil, bailiwick.PasswordChange{CurrentPassword: from.Password, Password: to.Password})
			return got.StatusCode(), err
		}
	}
	for _, step := range []struct {
		what string
		who  story.Person
		end  func(*bailiwick.ClientWithResponses) (int, error)
	}{
		{"a logout everywhere", c.Owner, func(api *bailiwick.ClientWithResponses) (int, error) {
			got, err := api.EndMySessionsWithResponse(ctx, nil)
			return got.StatusCode(), err
		}},
		{"a change of the password", c.Owner, change(c.Owner, other)},
		{"a change back", other, change(other, c.Owner)},
	} {
		api, token, err := platform.LogIn(ctx, c.FirstClient, "", step.who)
		if err != nil {
			t.Fatal(err)
		}
		if status, err := step.end(api); err != nil || status != http.StatusNoContent {
			t.Fatalf("%s: %d, %v", step.what, status, err)
		}
		if status := refresh(t, c.FirstClient, token.RefreshToken); status != http.StatusBadRequest {
			t.Errorf("%s: a refresh is answered %d", step.what, status)
		}
		refused(t, step.what, token.AccessToken)
	}
}

// refused waits until every service refuses a token, two seconds at most.
func refused(t *testing.T, what, token string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Second)
	for _, path := range reads {
		for get(t, path, token) != http.StatusUnauthorized {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %s still takes the token after two seconds", what, path)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func get(t *testing.T, path, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, platform.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return status(t, req)
}

func refresh(t *testing.T, client, token string) int {
	t.Helper()
	return posted(t, platform.Issuer()+"/token", "", "", url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {token}}, nil)
}

// operate does what an operator does from within: with the platform's own client.
func operate(t *testing.T, tenant, what string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, state, "secrets.json"))
	secrets := map[string]string{}
	if err == nil {
		err = json.Unmarshal(data, &secrets)
	}
	if err != nil {
		t.Fatal(err)
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"platform"}, "resource": {"urn:bailiwick:tenant:" + tenant}}
	posted(t, platform.Issuer()+"/token", "svc-users", secrets["svc-users"], form, &token)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:"+strconv.Itoa(8102+offset)+"/users/v1/platform/tenant/"+what, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.AccessToken)
	if got := status(t, req); got != http.StatusNoContent {
		t.Fatalf("%s is answered %d", what, got)
	}
}

func posted(t *testing.T, at, user, secret string, form url.Values, out any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if user != "" {
		req.SetBasicAuth(user, secret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if out != nil {
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode
}

func status(t *testing.T, req *http.Request) int {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}
