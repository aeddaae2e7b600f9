package e2e

import (
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/oauth2"

	bailiwick "bailiwick.dev/openapi/sdk/go"
	"bailiwick.dev/tests/story"
)

// site is a client whose addresses lead on to another origin, as those of many do.
type site struct {
	*program
	url   string
	owner story.Person
}

// posting is a page that sends what it was asked for to the server by POST.
var posting = template.Must(template.New("").Parse(`<!doctype html><title>Post</title><form method="post" action="{{.At}}">
{{range $name, $values := .Fields}}<input type="hidden" name="{{$name}}" value="{{index $values 0}}">{{end}}<button>Go</button></form>`))

func (s *site) posts(b *browser, to string, form url.Values) {
	b.t.Helper()
	b.do(chromedp.Navigate(s.url+"/post/"+to+"?"+form.Encode()), chromedp.Click(chromedp.CSS("button")))
}

// newSites registers a company with a client that has a site at each host.
func newSites(b *browser, hosts ...string) (sites []*site) {
	b.t.Helper()
	c, err := platform.Register(b.ctx, "Elsewhere Ltd")
	if err != nil {
		b.t.Fatal(err)
	}
	owner, _, err := platform.LogIn(b.ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		b.t.Fatal(err)
	}
	var callbacks, ends []string
	for _, host := range hosts {
		if s := newSite(b, host); s != nil {
			s.owner = c.Owner
			sites, callbacks, ends = append(sites, s), append(callbacks, s.RedirectURL), append(ends, s.url+"/left")
		}
	}
	made, err := owner.CreateClientWithResponse(b.ctx, nil, bailiwick.ClientDraft{Name: "Elsewhere", Type: bailiwick.ClientDraftTypePublic, RedirectUris: &callbacks, PostLogoutRedirectUris: &ends})
	if err != nil || made.JSON201 == nil {
		b.t.Fatalf("no client: %v", err)
	}
	for _, s := range sites {
		s.ClientID = made.JSON201.ClientId
	}
	return sites
}

// newSite returns nil where this machine has no such host.
func newSite(b *browser, host string) *site {
	b.t.Helper()
	s := &site{program: newProgram(b.ctx, b.t, "")}
	home := strings.TrimSuffix(s.RedirectURL, "/callback") // the other origin
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		b.t.Logf("NOT TRIED: %s: %v", host, err)
		return nil
	}
	srv := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at, ok := strings.CutPrefix(r.URL.Path, "/post/"); ok {
			_ = posting.Execute(w, map[string]any{"At": platform.Issuer() + "/" + at, "Fields": r.URL.Query()})
			return
		}
		http.Redirect(w, r, home+r.URL.String(), http.StatusSeeOther)
	})}
	go func() { _ = srv.Serve(l) }()
	b.t.Cleanup(func() { _ = srv.Close() })
	s.url = "http://" + l.Addr().String()
	s.RedirectURL = s.url + "/callback"
	return s
}

// Chromium holds the policy of a page against every redirect that follows its
// form, and knows no IPv6 address in it.
func TestFormsLeadOnToOtherOrigins(t *testing.T) {
	b := newBrowser(t)
	for _, s := range newSites(b, "127.0.0.1", "::1") {
		exchange := s.ask(b, oauth2.SetAuthURLParam("prompt", "login consent"))
		s.logsIn(b)
		b.sees("Elsewhere asks for access")
		b.do(chromedp.Click(chromedp.CSS(`button[value="allow"]`)))
		s.back(b, exchange)
		exchange = s.ask(b, oauth2.SetAuthURLParam("prompt", "login"))
		s.logsIn(b)
		s.back(b, exchange)
		b.do(chromedp.Navigate(platform.Issuer() + "/logout?client_id=" + s.ClientID + "&post_logout_redirect_uri=" + s.url + "/left"))
		b.sees("Log out?")
		b.do(chromedp.Click(chromedp.CSS("button")))
		b.sees("Back at the program")
	}
}

func (s *site) logsIn(b *browser) {
	b.t.Helper()
	b.sees("Log in")
	b.types("email", s.owner.Email)
	b.types("password", s.owner.Password+kb.Enter)
}

func (*site) back(b *browser, exchange func() (*oauth2.Token, error)) (idToken string) {
	b.t.Helper()
	b.sees("Back at the program")
	token, err := exchange()
	if err != nil {
		b.t.Fatal(err)
	}
	idToken, _ = token.Extra("id_token").(string)
	return idToken
}

// Chromium keeps the session's cookie back from what another site posts.
func TestFormsOfOtherSitesFindTheSession(t *testing.T) {
	b := newBrowser(t)
	s := newSites(b, "127.0.0.1")[0]
	exchange := s.ask(b)
	s.logsIn(b)
	b.sees("Elsewhere asks for access")
	b.do(chromedp.Click(chromedp.CSS(`button[value="allow"]`)))
	s.back(b, exchange)
	verifier := oauth2.GenerateVerifier()
	at, err := url.Parse(s.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "none")))
	if err != nil {
		t.Fatal(err)
	}
	s.posts(b, "authorize", at.Query())
	id := s.back(b, func() (*oauth2.Token, error) { return s.Exchange(b.ctx, <-s.answers, oauth2.VerifierOption(verifier)) })
	s.posts(b, "logout", url.Values{"id_token_hint": {id}, "post_logout_redirect_uri": {s.url + "/left"}})
	b.sees("Back at the program")
	b.do(chromedp.Navigate(platform.Issuer() + "/account"))
	b.sees("This did not work") // nobody is logged in
}
