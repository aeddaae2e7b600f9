package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/oauth2"

	"bailiwick.dev/adapters/pages/pagestest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/login"
)

// everyPage is each page in each state.
func everyPage() map[string][]any {
	this := login.Session{ID: uuid.New(), UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", Network: "192.0.2.0/24", AuthenticatedAt: time.Now()}
	other := login.Session{ID: uuid.New(), UserAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", Network: "2001:db8::/56", AuthenticatedAt: time.Now().Add(-2 * time.Hour), Idle: true}
	account := accountPage{Email: email, CSRF: "c", Sessions: []login.Session{this, other}, Current: this.ID}
	account.Consents = []application{{login.Consent{ClientID: "a", Name: "Acme Planner", At: time.Now()}, []string{"Know who you are", "See your e-mail address", "Work with tasks"}}, {login.Consent{ClientID: "b", Name: "Door opener", At: time.Now()}, nil}}
	changed, wrongOne, common := account, account, account
	changed.Changed = true
	wrongOne.Problem, wrongOne.Field = "This is not the current password.", "/current_password"
	common.Problem, common.Field = "This password is among the first that are tried; choose another.", "/password"
	slowed := account
	slowed.Problem = "There were too many attempts; try again later."
	gone := linkPage{Problem: "This link was used, or is older than half an hour.", Broken: true}
	away := linkPage{Token: "t", CSRF: "c", Email: email, Problem: "A part of the server does not answer. Please try again in a moment."}
	return map[string][]any{
		"login.html": {loginPage{Client: "Acme Planner", ClientID: "c", CSRF: "c"}, loginPage{Client: "Acme Planner", CSRF: "c", Email: email, Problem: wrong, Wrong: true}, loginPage{Client: "Acme Planner", CSRF: "c", Email: email, Problem: "There were too many attempts. Try again in 8 seconds."}},
		"consent.html": {consentPage{Client: "Acme Planner", CSRF: "c", Email: email, Scopes: []login.Meaning{login.MeaningOf("openid"), login.MeaningOf("email"), login.MeaningOf("tasks"), login.MeaningOf("offline_access")}},
			consentPage{Client: "Acme Planner", CSRF: "c", Email: email}},
		"forgot.html":  {linkPage{CSRF: "c"}, linkPage{Done: true}, away},
		"reset.html":   {linkPage{Token: "t", CSRF: "c", Email: email}, linkPage{Done: true}, linkPage{Token: "t", CSRF: "c", Email: email, Problem: common.Problem, Field: "/password"}, gone, away},
		"verify.html":  {linkPage{Token: "t", CSRF: "c", Email: email}, linkPage{Done: true}, linkPage{Done: true, Account: true}, gone, away},
		"account.html": {account, changed, wrongOne, common, slowed, accountPage{Email: email, CSRF: "c", Sessions: account.Sessions[:1], Current: this.ID, Older: "next"}},
		"message.html": {map[string]string{"Title": "Log out?", "Text": "You are about to log out of Bailiwick in this browser.", "CSRF": "c"},
			map[string]string{"Title": "You are logged out", "Text": "You can close this page."}, map[string]string{"Title": "This did not work", "Text": "There is no such application."},
			map[string]any{"Title": "This did not work", "Text": "You are not logged in.", "Account": true}},
	}
}

func TestEveryPageIsSoundByKeyboardAndScreenReader(t *testing.T) {
	t.Parallel()
	states := everyPage()
	for _, page := range templates.Templates() {
		name := page.Name()
		if name == "" || name == "head" || name == "foot" || name == "problem" {
			continue
		}
		if states[name] == nil {
			t.Errorf("%s is not looked at", name)
		}
		for i, state := range states[name] {
			t.Run(name, func(t *testing.T) {
				w := httptest.NewRecorder()
				show(w, name, state, 200, "'self'")
				pagestest.Hold(t, "auth-"+name+"-"+string(rune('1'+i)), w.Body.String())
			})
		}
	}
}

// failingHasher compares no passwords.
type failingHasher struct {
	hasher
	err error
}

func (h failingHasher) Verify(context.Context, string, string) (bool, error) { return false, h.err }

var busy = fault.New(fault.Unavailable, "busy", "too many log in at once")

func TestOnlyWhatIsWrongIsMarkedSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	crowded := *w
	crowded.cfg.hasher = failingHasher{w.cfg.hasher, busy}
	b, at := w.browser(t), crowded.replicaOn(t, w.db.AppURL, w.db.SystemURL).url
	_, form := open(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	form.Set("email", email)
	form.Set("password", "wrong password")
	marked := map[int]bool{}
	for _, url := range append([]string{at}, slices.Repeat([]string{w.url}, 9)...) {
		resp := send(t, b, url+"/auth/login", form)
		page, _ := read(t, resp)
		pagestest.Hold(t, "login", page)
		marked[resp.StatusCode] = strings.Contains(page, `aria-invalid="true"`)
	}
	if want := map[int]bool{401: true, 429: false, 503: false}; !maps.Equal(marked, want) {
		t.Errorf("fields are marked as wrong: %v, want %v", marked, want)
	}
}

// It is not parallel: it reads everybody's log.
func TestFailuresBehindPagesAreLogged(t *testing.T) {
	s := newSuite(t, newWorld(t))
	tok, _ := s.tokensFor(t, s.authorize(t, nil))
	id, _ := tok.Extra("id_token").(string)
	_, pushed := s.push(t, oauth2.S256ChallengeFromVerifier(s.verifier), nil)
	_, form := open(t, s.b, s.authorizeAt(map[string]string{"prompt": "login"}))
	form.Set("email", email)
	form.Set("password", password)
	log, err := os.OpenFile(filepath.Join(t.TempDir(), "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	for _, c := range []struct{ table, at, want string }{
		{"pushed_requests", s.authorizeURL(s.client.ID, pushed["request_uri"]), "500"},
		{"login_sessions", s.authorizeAt(nil), "server_error"},
		{"consents", s.authorizeAt(nil), "server_error"},
		{"consents", s.url + "/auth/account", "500"},
		{"login_sessions", s.url + "/auth/account", "500"},
		{"login_sessions", s.url + "/auth/logout?id_token_hint=" + id, "500"},
		{"login_failures", s.url + "/auth/login", "500"},
	} {
		if err := os.Truncate(log.Name(), 0); err != nil {
			t.Fatal(err)
		}
		s.db.Exec(t, "alter table "+c.table+" rename to elsewhere")
		var resp *http.Response
		if c.table == "login_failures" {
			resp = send(t, s.b, c.at, form)
		} else if resp, err = s.b.Get(c.at); err != nil {
			t.Fatal(err)
		}
		s.db.Exec(t, "alter table elsewhere rename to "+c.table)
		page, _ := read(t, resp)
		noted, err := os.ReadFile(log.Name())
		got := strconv.Itoa(resp.StatusCode)
		if resp.StatusCode == http.StatusSeeOther {
			got = location(t, resp).Query().Get("error")
		}
		if got != c.want || err != nil || !strings.Contains(string(noted), "request failed") || !strings.Contains(string(noted), c.table) || strings.Contains(page, c.table) {
			t.Errorf("%s without %s: %s, want %s; the log is %s, the page %s", c.at, c.table, got, c.want, noted, page)
		}
	}
}

func TestLoginSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := newSuite(t, newWorld(t))
	_, form := open(t, s.b, s.authorizeAt(nil))
	form.Set("email", email)
	form.Set("password", password)
	for err, want := range map[error]string{
		busy: "Too many people log in right now.",
		fault.New(fault.Unavailable, "database_unavailable", "the database does not answer"): "A part of the server does not answer.",
		errors.New("something"): "Something went wrong on our side.",
	} {
		failing := *s.world
		failing.cfg.hasher = failingHasher{s.cfg.hasher, err}
		resp := send(t, s.b, failing.replicaOn(t, s.db.AppURL, s.db.SystemURL).url+"/auth/login", form)
		if page, _ := read(t, resp); !strings.Contains(page, want) || (resp.Header.Get("Retry-After") == "") != (resp.StatusCode == 500) {
			t.Errorf("%v: %d %v %s", err, resp.StatusCode, resp.Header, page)
		}
	}
}
