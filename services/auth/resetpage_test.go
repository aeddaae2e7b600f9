package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"bailiwick.dev/adapters/pages/pagestest"
	"bailiwick.dev/domain/fault"
)

// mailedLink asks for a link to choose a new password by.
func (w *world) mailedLink(t *testing.T, b *http.Client) string {
	t.Helper()
	box := &letterbox{}
	w.forget(t, b, email)
	if w.deliver(t, box); len(box.mails) != 1 {
		t.Fatalf("mails %+v", box.mails)
	}
	return box.mails[0].Link
}

func (w *world) shown(t *testing.T, b *http.Client, at string) (string, int) {
	t.Helper()
	resp, err := b.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(page), resp.StatusCode
}

func TestExpiredLinkSaysSoBeforeAnythingIsTyped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t)
	link := w.mailedLink(t, b)
	if page, status := w.shown(t, b, link); status != 200 || !strings.Contains(page, "for <strong>"+email) {
		t.Errorf("a link that works: %d %s", status, page)
	}
	w.db.Exec(t, "update mailed_links set expires_at = now()")
	unknown := strings.Repeat("a", 65)
	for _, at := range []string{link, w.url + "/auth/reset", w.url + "/auth/reset?token=" + unknown, w.url + "/auth/verify?token=" + unknown, strings.Replace(link, "/reset", "/verify", 1)} {
		page, status := w.shown(t, b, at)
		if status != 404 || !strings.Contains(page, "<h1>This link does not work</h1>") || !strings.Contains(page, "This link was used, or is older than half an hour.") || strings.Contains(page, "<form") {
			t.Errorf("%d %s", status, page)
		}
	}
	resp := w.choose(t, b, link, another)
	if page, _ := read(t, resp); resp.StatusCode != 404 || !strings.Contains(page, "<h1>This link does not work</h1>") {
		t.Errorf("its form: %d %s", resp.StatusCode, page)
	}
}

// Where a page ends, it leads on if there is where to.
func TestPagesLeadOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	c.Scopes = append(c.Scopes, "auth")
	b, box := w.browser(t), &letterbox{}
	again := `<a href="/auth/forgot?client_id=` + w.client.ID + `">`
	if page := w.forget(t, b, "ada@acme.exmaple"); !strings.Contains(page, again) {
		t.Errorf("who mistyped the address is led nowhere:\n%s", page)
	}
	verifier := oauth2.GenerateVerifier()
	to, _ := w.logIn(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)), email, password)
	tok, err := c.Exchange(t.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []struct {
		b    *http.Client
		lead bool
	}{{b, true}, {w.browser(t), false}} {
		w.call(t, tok.AccessToken, "POST", "/auth/v1/me/email-verification", nil, 202, nil)
		w.deliver(t, box)
		page, _ := read(t, w.choose(t, in.b, box.mails[len(box.mails)-1].Link, ""))
		if !strings.Contains(page, "Your address is confirmed.") || strings.Contains(page, `<a href="/auth/account">`) != in.lead {
			t.Errorf("led to the account is wanted: %v:\n%s", in.lead, page)
		}
	}
}

// A form that could only fail is not shown.
func TestNobodyIsAskedForAnAddressWithoutAnApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, query := range []string{"", "?client_id=", "?client_id=" + uuid.NewString(), "?client_id=svc-users"} {
		if page, status := w.shown(t, w.browser(t), w.url+"/auth/forgot"+query); status != 400 || !strings.Contains(page, "There is no such application.") || strings.Contains(page, "<form") {
			t.Errorf("%q: %d %s", query, status, page)
		}
	}
}

func TestTooManyRequestsForALinkSayWhenToTryAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t)
	for range 55 {
		_, form := open(t, b, w.url+"/auth/forgot?client_id="+w.client.ID)
		form.Set("client_id", w.client.ID)
		form.Set("email", uuid.NewString()+"@acme.example")
		resp := send(t, b, w.url+"/auth/forgot", form)
		if resp.StatusCode == http.StatusOK {
			continue
		}
		page, _ := read(t, resp)
		if after, err := strconv.Atoi(resp.Header.Get("Retry-After")); resp.StatusCode != 429 || err != nil || after < 1 || !strings.Contains(page, "There were too many attempts; try again in a minute.") || !strings.Contains(page, form.Get("email")) {
			t.Errorf("%d after %q: %s", resp.StatusCode, resp.Header.Get("Retry-After"), page)
		}
		return
	}
	t.Error("nobody is slowed")
}

func TestPageTellsWhoseFaultItIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err         error
		status      int
		after, text string
	}{
		{fault.New(fault.Unavailable, "hasher_busy", "42 wait"), 503, "1", "Please try again in a moment."},
		{errors.New("secret"), 500, "", "Something went wrong on our side."},
		{fault.InvalidAt("/password", "length", "a password has 8 to 128 characters"), 422, "", "A password has 8 to 128 characters."},
	} {
		w := httptest.NewRecorder()
		linkPage{}.ended(w, httptest.NewRequestWithContext(t.Context(), "POST", "/", nil), c.err).show(w, "reset.html")
		if page := w.Body.String(); w.Code != c.status || w.Header().Get("Retry-After") != c.after || !strings.Contains(page, c.text) || strings.Contains(page, "42 wait") || strings.Contains(page, "secret") {
			t.Errorf("%v: %d after %q: %s", c.err, w.Code, w.Header().Get("Retry-After"), page)
		}
	}
}

func TestGuessesOnTheAccountPageAreSlowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(t)
	c, _ := w.oauth(t)
	w.logIn(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())), email, password)
	_, form := open(t, b, w.url+"/auth/account")
	form.Set("current", "a wrong password")
	form.Set("password", another)
	for range 10 {
		resp := send(t, b, w.url+"/auth/account/password", form)
		page, _ := read(t, resp)
		pagestest.Hold(t, "account", page)
		if invalid := strings.Contains(page, `aria-invalid="true"`); invalid != (resp.StatusCode != http.StatusTooManyRequests) {
			t.Errorf("%d, and a field is marked as wrong: %v", resp.StatusCode, invalid)
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			if after, err := strconv.Atoi(resp.Header.Get("Retry-After")); err != nil || after < 1 {
				t.Errorf("to be tried after %q", resp.Header.Get("Retry-After"))
			}
			return
		}
		if resp.StatusCode != http.StatusUnprocessableEntity {
			t.Fatalf("%d %s", resp.StatusCode, page)
		}
	}
	t.Error("nobody is slowed")
}
