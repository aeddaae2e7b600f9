package pages_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"bailiwick.dev/adapters/pages"
)

func TestPageAllowsItsOwnStyleAndNothingElse(t *testing.T) {
	t.Parallel()
	set := pages.Parse(fstest.MapFS{"x.html": {Data: []byte(`{{define "x.html"}}{{template "head" "A title"}}<main>{{template "problem" .}}</main>{{template "foot"}}{{end}}`)}}, "*.html")
	w := httptest.NewRecorder()
	pages.Show(w, set, "x.html", `<script>alert(1)</script>`, 422, "'self'")
	body, policy := w.Body.String(), w.Header().Get("Content-Security-Policy")
	_, css, _ := strings.Cut(body, "<style>")
	css, _, _ = strings.Cut(css, "</style>")
	d := sha256.Sum256([]byte(css))
	for _, want := range []string{"default-src 'none'", "style-src 'sha256-" + base64.StdEncoding.EncodeToString(d[:]) + "'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	if w.Code != 422 || !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, "<title>A title · Bailiwick</title>") || strings.Contains(body, "<script") || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s", w.Code, body)
	}
	if !strings.Contains(body, `role="alert" id="problem"`) {
		t.Error("a problem is not read out")
	}
}

// Where a client leads on to, no policy of ours can tell.
func TestFormThatLeadsElsewhereIsUnderNoPolicyOfForms(t *testing.T) {
	t.Parallel()
	set := pages.Parse(fstest.MapFS{"x.html": {Data: []byte("x")}}, "*.html")
	w := httptest.NewRecorder()
	pages.Show(w, set, "x.html", nil, 200, "")
	if policy := w.Header().Get("Content-Security-Policy"); strings.Contains(policy, "form-action") || !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || !strings.HasSuffix(policy, "; frame-ancestors 'none'; base-uri 'none'") {
		t.Errorf("the policy is %q", policy)
	}
}

func TestUnavailablePageSaysWhenToTryAgain(t *testing.T) {
	t.Parallel()
	set := pages.Parse(fstest.MapFS{"x.html": {Data: []byte("x")}}, "*.html")
	for _, c := range []struct {
		status      int
		given, want string
	}{{503, "", "1"}, {503, "7", "7"}, {500, "", ""}, {200, "", ""}} {
		w := httptest.NewRecorder()
		if c.given != "" {
			w.Header().Set("Retry-After", c.given)
		}
		pages.Show(w, set, "x.html", nil, c.status, "'none'")
		if got := w.Header().Get("Retry-After"); got != c.want {
			t.Errorf("%d with %q: %q, want %q", c.status, c.given, got, c.want)
		}
	}
}
