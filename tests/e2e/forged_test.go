package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"bailiwick.dev/tests/story"
)

// forger says of itself what a proxy would say, each time something else.
type forger struct {
	*http.Client
	tenant, user string
	n            int
}

func (f *forger) send(ctx context.Context, t *testing.T, method, at, token string, form url.Values) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, at, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	f.n++
	from := fmt.Sprintf("203.0.%d.1", f.n)
	for name, value := range map[string]string{"X-Forwarded-For": from, "X-Real-Ip": from, "Forwarded": "for=" + from, "X-Tenant-Id": f.tenant, "X-User-Id": f.user} {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := f.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

var hidden = regexp.MustCompile(`name="(request|csrf)" value="([^"]*)"`)

// guesses returns how many wrong passwords are taken from the forger until it has to wait.
func (f *forger) guesses(ctx context.Context, t *testing.T, c *story.Company, most int) (taken int) {
	t.Helper()
	at := (&oauth2.Config{ClientID: c.FirstClient, RedirectURL: "http://127.0.0.1:49152/callback", Scopes: []string{"openid"}, Endpoint: oauth2.Endpoint{AuthURL: platform.Issuer() + "/authorize"}}).
		AuthCodeURL("state", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	_, page := f.send(ctx, t, http.MethodGet, at, "", nil)
	form := url.Values{"email": {c.Owner.Email}, "password": {"a wrong password"}}
	for _, field := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(field[1], html.UnescapeString(field[2]))
	}
	for ; taken < most; taken++ {
		switch status, answer := f.send(ctx, t, http.MethodPost, platform.Issuer()+"/login", "", form); status {
		case http.StatusTooManyRequests:
			return taken
		case http.StatusUnauthorized:
		default:
			t.Fatalf("a wrong password is answered %d: %.500s", status, answer)
		}
	}
	return taken
}

// A stranger's guesses are their network's, whatever they say where they come
// from, and a token's tenant and person are those in the token.
func TestHeadersOfAProxyFromOutsideAreOfNoEffect(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	c, err := platform.Register(ctx, "Forged Ltd")
	if err != nil {
		t.Fatal(err)
	}
	other, err := platform.Register(ctx, "Meant Ltd")
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &forger{Client: &http.Client{Jar: jar}, tenant: other.ID, user: other.ID}
	if taken := f.guesses(ctx, t, c, 15); taken < 5 || taken == 15 {
		t.Errorf("%d guesses are taken, want those that one network has free", taken)
	}
	if networks := failedFrom(ctx, t, f, token.AccessToken); len(networks) != 1 || strings.HasPrefix(networks[0], "203.0.") {
		t.Errorf("the trail says that they come from %q, want the one network that they come from", networks)
	}
	status, me := f.send(ctx, t, http.MethodGet, platform.URL+"/users/v1/me", token.AccessToken, nil)
	if status != http.StatusOK || !strings.Contains(me, c.Owner.Email) {
		t.Errorf("the caller is %d %s, want %s", status, me, c.Owner.Email)
	}
}

// failedFrom returns the networks of failed logins that the trail tells of.
func failedFrom(ctx context.Context, t *testing.T, f *forger, token string) (networks []string) {
	t.Helper()
	status, body := f.send(ctx, t, http.MethodGet, platform.URL+"/auth/v1/audit-events?limit=1000", token, nil)
	var trail struct {
		Items []struct{ Action, Network string }
	}
	if err := json.Unmarshal([]byte(body), &trail); err != nil || status != http.StatusOK {
		t.Fatalf("the trail is answered %d %s", status, body)
	}
	seen := map[string]bool{}
	for _, e := range trail.Items {
		if e.Action == "login.failed" && !seen[e.Network] {
			seen[e.Network] = true
			networks = append(networks, e.Network)
		}
	}
	return networks
}
