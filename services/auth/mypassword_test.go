package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/oauth2"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/tenancy"
)

const another = "a second sentence to remember"

// letterbox is a mail server that keeps what it is handed; down, it takes none.
type letterbox struct {
	mu    sync.Mutex
	mails []tenancy.Mail
	down  error
}

func (l *letterbox) Send(_ context.Context, m tenancy.Mail) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down == nil {
		l.mails = append(l.mails, m)
	}
	return l.down
}

func (w *world) deliver(t *testing.T, l *letterbox) {
	t.Helper()
	if err := (postman{w.store(), l, w.url}).deliver(t.Context()); fault.KindOf(err) != fault.KindOf(l.down) {
		t.Fatalf("%v, want %v", err, l.down)
	}
}

func (w *world) forget(t *testing.T, b *http.Client, mail string) string {
	t.Helper()
	_, form := open(t, b, w.url+"/auth/forgot?client_id="+w.client.ID)
	form.Set("client_id", w.client.ID)
	form.Set("email", mail)
	page, _ := read(t, send(t, b, w.url+"/auth/forgot", form))
	return page
}

// choose opens a mailed link and sends its form.
func (w *world) choose(t *testing.T, b *http.Client, link, pass string) *http.Response {
	t.Helper()
	_, form := open(t, b, link)
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	form.Set("token", u.Query().Get("token"))
	form.Set("csrf", w.cookie(t, b, csrfCookie)) // the page of a link that does not work has no form
	form.Set("password", pass)
	u.RawQuery = ""
	return send(t, b, u.String(), form)
}

func TestForgottenPasswordIsResetByAMailedLinkOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.watched(t)
	c, _ := w.oauth(t)
	tok := w.tokens(t, c)
	b, box := w.browser(t), &letterbox{down: fault.New(fault.Unavailable, "mail_unavailable", "")}
	if known, unknown := w.forget(t, b, strings.ToUpper(email)), w.forget(t, b, "nobody@acme.example"); known != unknown || !strings.Contains(known, "on its way") {
		t.Errorf("an address that somebody has is answered\n%s\nanother\n%s", known, unknown)
	}
	w.deliver(t, box)
	box.down = nil
	w.db.Exec(t, "update mailed_links set due_at = now() where due_at is not null") // later
	w.deliver(t, box)
	w.deliver(t, box)
	if len(box.mails) != 1 || box.mails[0].To != email || !strings.Contains(box.mails[0].Link, "/auth/reset?token=") {
		t.Fatalf("mails %+v", box.mails)
	}
	link := box.mails[0].Link
	for _, bad := range []string{"password123", "analytical-engines"} {
		if resp := w.choose(t, b, link, bad); resp.StatusCode != 422 {
			t.Errorf("%s, which is common, or the company's name: %d", bad, resp.StatusCode)
		}
	}
	if resp := w.choose(t, b, link, another); resp.StatusCode != 200 {
		t.Fatalf("reset: %d", resp.StatusCode)
	}
	if resp := w.choose(t, b, link, "a third sentence"); resp.StatusCode != 404 {
		t.Errorf("the link works twice: %d", resp.StatusCode)
	}
	w.ends(t, "a reset", tok.AccessToken)
	if status, _ := w.refresh(t, tok.RefreshToken); status != 400 {
		t.Errorf("refresh after a reset: %d", status)
	}
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	if _, status := w.logIn(t, w.browser(t), at, email, password); status != 401 {
		t.Errorf("the old password: %d", status)
	}
	if to, _ := w.logIn(t, w.browser(t), at, email, another); to == nil {
		t.Error("the new password does not log in")
	}
	for range 5 { // nobody is mailed without end
		w.forget(t, b, email)
	}
	var due int
	w.db.Scan(t, &due, "select count(*) from mailed_links where due_at is not null")
	if due > 3 {
		t.Errorf("%d mails in an hour", due)
	}
	w.db.Exec(t, "update mailed_links set expires_at = now()")
	if w.deliver(t, box); len(box.mails) != 1 {
		t.Error("an expired link is mailed")
	}
}

func TestPasswordIsChangedByWhoKnowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.watched(t)
	c, _ := w.oauth(t)
	c.Scopes = append(c.Scopes, "auth")
	tok := w.tokens(t, c)
	change := func(current, to string, want int) rest.Problem {
		t.Helper()
		var p rest.Problem
		var out any
		if want != 204 {
			out = &p
		}
		w.call(t, tok.AccessToken, "POST", "/auth/v1/me/password", map[string]any{"current_password": current, "password": to}, want, out)
		return p
	}
	if p := change("wrong password", another, 422); p.Errors[0].Pointer != "/current_password" {
		t.Errorf("a wrong current password: %+v", p)
	}
	for _, bad := range []string{"qwertyuiop", "Analytical1843"} {
		if p := change(password, bad, 422); p.Errors[0].Pointer != "/password" {
			t.Errorf("%s, which is common, or the company's name: %+v", bad, p)
		}
	}
	w.call(t, w.platform(t), "POST", "/auth/v1/me/password", map[string]any{"current_password": password, "password": another}, 404, nil)
	change(password, another, 204)
	w.ends(t, "a change of the password", tok.AccessToken)
	if status, _ := w.refresh(t, tok.RefreshToken); status != 400 {
		t.Errorf("refresh after it: %d", status)
	}
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()), oauth2.SetAuthURLParam("prompt", "login"))
	b := w.browser(t)
	if to, _ := w.logIn(t, b, at, email, another); to == nil {
		t.Fatal("the new password does not log in")
	}
	tok, err := w.passwordTokens(t, c, another)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		change("wrong password", password, 422)
	}
	change(another, password, 429) // a guess is slowed, though the owner logs in
	if to, status := w.logIn(t, w.browser(t), at, email, another); to == nil {
		t.Errorf("the owner is locked out: %d", status)
	}
}

// passwordTokens is tokens for another password than the first.
func (w *world) passwordTokens(t *testing.T, c *oauth2.Config, pass string) (*oauth2.Token, error) {
	t.Helper()
	verifier := oauth2.GenerateVerifier()
	to, status := w.logIn(t, w.browser(t), c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), email, pass)
	if to == nil {
		t.Fatalf("login: %d", status)
	}
	return c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
}

func TestImportedHashIsRehashedAtTheNextLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, p := w.oauth(t)
	raw, err := bcrypt.GenerateFromPassword([]byte("imported password"), 4)
	if err != nil {
		t.Fatal(err)
	}
	at := "/auth/v1/platform/credentials/" + uuid.NewString()
	in := map[string]any{"email": "grace@acme.example", "name": "G", "password_hash": string(raw), "enabled": true, "email_unverified": true}
	w.call(t, w.platform(t), "PUT", at, map[string]any{"email": "g@acme.example", "name": "G", "password_hash": "$2a$31$" + string(raw[7:]), "enabled": true}, 422, nil)
	w.call(t, w.platform(t), "PUT", at, in, 204, nil)
	verifier := oauth2.GenerateVerifier()
	login := c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier))
	if _, status := w.logIn(t, w.browser(t), login, "grace@acme.example", "another password"); status != 401 {
		t.Errorf("a wrong password: %d", status)
	}
	to, _ := w.logIn(t, w.browser(t), login, "grace@acme.example", "imported password")
	if to == nil {
		t.Fatal("the imported password does not log in")
	}
	var hash string
	w.db.Scan(t, &hash, "select password_hash from credentials where email = 'grace@acme.example'")
	if !strings.HasPrefix(hash, "$argon2id$") {
		t.Errorf("the hash is kept as %.8s", hash)
	}
	if to, _ := w.logIn(t, w.browser(t), c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())), "grace@acme.example", "imported password"); to == nil {
		t.Error("after it was rehashed it does not log in")
	}
	tok, err := c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	w.verifyEmail(t, p, tok)
}

// verifyEmail goes from an address that is not verified to one that is.
func (w *world) verifyEmail(t *testing.T, p *oidc.Provider, tok *oauth2.Token) {
	t.Helper()
	verified := func() bool {
		info, err := p.UserInfo(t.Context(), oauth2.StaticTokenSource(tok))
		if err != nil {
			t.Fatal(err)
		}
		return info.EmailVerified
	}
	if verified() {
		t.Error("an imported address is verified")
	}
	w.db.Exec(t, `insert into mailed_links (tenant_id, id, user_id, purpose, due_at, expires_at) select tenant_id, gen_random_uuid(), user_id, 'verification', now(), now() + interval '1 hour' from credentials where not email_verified`)
	box := &letterbox{}
	w.deliver(t, box)
	if len(box.mails) != 1 {
		t.Fatalf("mails %+v", box.mails)
	}
	b := w.browser(t)
	if _, form := open(t, b, box.mails[0].Link); verified() || form.Get("csrf") == "" {
		t.Error("opening the link is enough")
	}
	if resp := w.choose(t, b, box.mails[0].Link, ""); resp.StatusCode != 200 || !verified() {
		t.Errorf("confirming: %d", resp.StatusCode)
	}
	if resp := w.choose(t, b, box.mails[0].Link, ""); resp.StatusCode != 404 {
		t.Errorf("the link works twice: %d", resp.StatusCode)
	}
}

// A megabyte is refused before it is hashed, and a wrong address costs what a
// wrong password costs.
func TestWrongAddressAndWrongPasswordAreOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	b := w.browser(t)
	at := c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	_, form := open(t, b, at)
	form.Set("email", email)
	form.Set("password", strings.Repeat("x", 1<<20))
	begun := time.Now()
	if resp := send(t, b, w.url+"/auth/login", form); resp.StatusCode != 400 || time.Since(begun) > time.Second {
		t.Errorf("a megabyte: %d after %s", resp.StatusCode, time.Since(begun))
	}
	pages := map[string]bool{}
	for _, mail := range []string{email, "nobody@acme.example"} {
		form.Set("email", mail)
		form.Set("password", "wrong password")
		page, _ := read(t, send(t, b, w.url+"/auth/login", form))
		pages[strings.ReplaceAll(page, mail, "")] = true
	}
	if len(pages) != 1 {
		t.Errorf("%d different pages", len(pages))
	}
}

// bcrypt costs something else than argon2id, and sees no more than 72 bytes: how
// long a failed login takes does not tell whose hash was compared with.
func TestFailedLoginsTakeTheSameTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.failing = 400 * time.Millisecond
	raw, err := bcrypt.GenerateFromPassword([]byte("imported password"), 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []map[string]any{{"email": "grace@acme.example", "name": "G", "password_hash": string(raw), "enabled": true}, {"email": "joan@acme.example", "name": "J", "password": another, "enabled": false}} {
		w.call(t, w.platform(t), "PUT", "/auth/v1/platform/credentials/"+uuid.NewString(), in, 204, nil)
	}
	c, _ := w.oauth(t)
	b, at := w.browser(t), w.replicaOn(t, w.db.AppURL, w.db.SystemURL).url
	_, form := open(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	for _, try := range [][2]string{{email, another}, {"nobody@acme.example", another}, {"grace@acme.example", another}, {"grace@acme.example", strings.Repeat("x", 73)}, {"joan@acme.example", another}} {
		form.Set("email", try[0])
		form.Set("password", try[1])
		begun := time.Now()
		if resp := send(t, b, at+"/auth/login", form); resp.StatusCode != 401 || time.Since(begun) < w.cfg.failing {
			t.Errorf("%s: %d after %s", try, resp.StatusCode, time.Since(begun))
		}
	}
}

// slowHasher compares while something else happens.
type slowHasher struct {
	hasher
	meanwhile func()
}

func (h slowHasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	h.meanwhile()
	return h.hasher.Verify(ctx, hash, password)
}

// Of a crowd of guesses none tells that it was right: not by its answer, not by
// its time, and not by what it counts for.
func TestRightGuessOfACrowdIsAWrongOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.firstParty(t)
	w.send(t, "PATCH", "/auth/v1/clients/"+w.client.ID, map[string]any{"grant_types": []string{"authorization_code", "password"}}, 200, nil, "If-Match", `"3"`)
	time.Sleep(recentLife)
	w.cfg.failing = 400 * time.Millisecond
	w.cfg.hasher = slowHasher{w.cfg.hasher, func() {
		for range 8 {
			if err := w.store().Failed(t.Context(), w.tenant, login.Event{}, login.Failures(w.tenant, email, "127.0.0.1")...); err != nil {
				t.Error(err)
			}
		}
	}}
	c, _ := w.oauth(t)
	b, at := w.browser(t), w.replicaOn(t, w.db.AppURL, w.db.SystemURL)
	_, form := open(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	form.Set("email", email)
	form.Set("password", password)
	for what, guess := range map[string]func() int{
		"the page": func() int { return send(t, b, at.url+"/auth/login", form).StatusCode },
		"the grant": func() int {
			status, _ := at.withPassword(t, password, "tasks")
			return status
		},
	} {
		w.db.Exec(t, "delete from login_failures")
		begun := time.Now()
		if got := guess(); got != map[string]int{"the page": 401, "the grant": 400}[what] || time.Since(begun) < w.cfg.failing {
			t.Errorf("%s: %d after %s", what, got, time.Since(begun))
		}
		var counted int
		if w.db.Scan(t, &counted, "select min(failures) from login_failures"); counted != 9 {
			t.Errorf("%s: %d failures are counted, want 9", what, counted)
		}
	}
}

// A hundred wrong passwords slow their own network, and nobody else.
func TestOwnerGetsInFromElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	b := w.browser(t)
	_, form := open(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	form.Set("email", email)
	try := func(pass, from string) int {
		form.Set("password", pass)
		return send(t, b, w.url+"/auth/login", form, "X-Forwarded-For", from).StatusCode
	}
	throttled := 0
	for range 100 {
		if try("wrong password", "203.0.113.7") == http.StatusTooManyRequests {
			throttled++
		}
	}
	if throttled < 90 {
		t.Errorf("%d of 100 were throttled", throttled)
	}
	if got := try(password, "203.0.113.99"); got != http.StatusTooManyRequests {
		t.Errorf("from the same network: %d", got)
	}
	if got := try(password, "198.51.100.1"); got != http.StatusOK { // the page of consent
		t.Errorf("the owner from elsewhere: %d", got)
	}
}
