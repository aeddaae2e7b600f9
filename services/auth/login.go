package main

import (
	"context"
	"embed"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/pages"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

//go:embed pages/*.html
var files embed.FS

var templates = pages.Parse(files, "pages/*.html")

// loginPage is what the page shows.
type loginPage struct {
	Client, ClientID, Request, CSRF, Email, Problem string
	Wrong                                           bool // what was typed, and not merely when
}

func (s *server) showLogin(w http.ResponseWriter, r *http.Request, a *authorization, p loginPage, status int) {
	p.Client, p.ClientID, p.Request, p.CSRF = a.client.Name, a.client.ID, a.request(), s.csrf(w, r)
	show(w, "login.html", p, status, anywhere)
}

// anywhere is where the forms lead that end at a client: what redirects there
// follow is the client's affair.
const anywhere = ""

func (s *server) refuse(w http.ResponseWriter, status int, why string) {
	show(w, "message.html", map[string]string{"Title": "This did not work", "Text": why}, status, "'none'")
}

// broken tells on a page of a failure that is our own, and logs it.
func (s *server) broken(w http.ResponseWriter, r *http.Request, err error) {
	told := rest.Tell(w, r, err)
	s.refuse(w, told.Status, told.Text)
}

func show(w http.ResponseWriter, name string, data any, status int, formAction string) {
	pages.Show(w, templates, name, data, status, formAction)
}

// continued reads the authorization that a page's form goes on with. It answers
// itself what is no form of ours.
func (s *server) continued(w http.ResponseWriter, r *http.Request) (*authorization, bool) {
	if err := parseForm(w, r); err != nil {
		s.refuse(w, http.StatusBadRequest, "The form cannot be read.")
		return nil, false
	}
	if s.forged(r) {
		s.refuse(w, http.StatusForbidden, "This form is no longer valid. Go back to the application and log in again.")
		return nil, false
	}
	params, err := url.ParseQuery(r.PostForm.Get("request"))
	if err == nil {
		err = legible(params)
	}
	if err != nil {
		s.refuse(w, http.StatusBadRequest, "The form cannot be read.")
		return nil, false
	}
	return s.check(w, r, params)
}

// login takes the page's form and goes on with the authorization that it holds.
func (s *server) login(w http.ResponseWriter, r *http.Request) {
	a, ok := s.continued(w, r)
	if !ok {
		return
	}
	sess, problem, status := s.logIn(w, r, a)
	if problem != "" {
		s.showLogin(w, r, a, loginPage{Email: r.PostForm.Get("email"), Problem: problem, Wrong: status == http.StatusUnauthorized}, status)
		return
	}
	a.proceed(w, r, sess)
}

const wrong = "The e-mail address or the password is wrong."

// attempt is what became of an e-mail address and a password.
type attempt struct {
	login.Credential // whose they are, if good
	good             bool
	begun            time.Time
	wait             time.Duration   // until when no more may be tried; nothing was
	failures         []login.Failure // what it counts for if it fails
	keys             [][]byte        // theirs, by which it was judged; a login forgives the first
	device           []byte          // in which the person has logged in before, if so
}

// try compares a password, and counts a failure. It gives the same answer, in
// the same time, whether or not anybody has the address.
func (s *server) try(r *http.Request, c *client, email, password string) (a attempt, err error) {
	a.begun = time.Now()
	email = login.Normal(email)
	if utf8.RuneCountInString(password) > login.MaxPassword || len(email) > 254 {
		return a, nil
	}
	if err := s.judge(r, c, email, &a); err != nil {
		return a, err
	}
	var until time.Time
	a.Credential, until, err = s.store.Attempt(r.Context(), c.Tenant, email, a.keys...)
	if err != nil {
		return a, err
	}
	if a.wait = time.Until(until); a.wait > 0 {
		return a, nil
	}
	good, err := s.hasher.Verify(r.Context(), a.Hash, password)
	if err != nil {
		return a, err
	}
	if !good || !a.Enabled {
		return a, s.failed(r, c, a)
	}
	a.Hash, err = s.renewed(r.Context(), c.Tenant, a.Credential, password)
	a.good = err == nil
	return a, err
}

// inSeconds is what a wait is at most, for people.
func inSeconds(wait time.Duration) string {
	if n := int(wait.Seconds()) + 1; n > 1 {
		return fmt.Sprintf("%d seconds", n)
	}
	return "a second"
}

// newSession is that of a person who has just logged in.
func newSession(r *http.Request, user uuid.UUID) login.Session {
	return login.Session{ID: uuid.Must(uuid.NewV7()), UserID: user, AuthenticatedAt: time.Now(), ExpiresAt: time.Now().Add(sessionLife), Network: login.Network(address(r)), UserAgent: agent(r)}
}

func (s *server) logIn(w http.ResponseWriter, r *http.Request, a *authorization) (*login.Session, string, int) {
	ctx, tenant := r.Context(), a.client.Tenant
	c, err := s.try(r, a.client, r.PostForm.Get("email"), r.PostForm.Get("password"))
	switch {
	case err != nil:
		return s.unavailable(w, r, err)
	case c.wait > 0:
		w.Header().Set("Retry-After", fmt.Sprint(int(c.wait.Seconds())+1))
		return nil, "There were too many attempts. Try again in " + inSeconds(c.wait) + ".", http.StatusTooManyRequests
	case !c.good:
		return nil, wrong, http.StatusUnauthorized
	}
	value, sess := opaque(), newSession(r, c.User)
	if sess.Replaces, err = s.replaced(r, tenant, c.User); err != nil {
		return s.unavailable(w, r, err)
	}
	err = s.store.LoggedIn(ctx, tenant, digest(value), sess, c.Hash, c.keys, event(r, c.User, login.LoginSucceeded))
	if fault.Is(err, fault.NotFound) { // the password was changed, or too many guesses failed, in this moment
		if err = s.failed(r, a.client, c); err == nil {
			return nil, wrong, http.StatusUnauthorized
		}
	}
	if err == nil && sess.Replaces == uuid.Nil {
		err = s.endSession(r, tenant) // somebody else's
	}
	if err != nil {
		return s.unavailable(w, r, err)
	}
	if err := s.remember(w, r, tenant, sess.ID, c.device); err != nil {
		return s.unavailable(w, r, err)
	}
	s.holdSessions(w, append([]sessionValue{{tenant, value}}, s.otherSessions(r, tenant)...))
	return &sess, "", http.StatusOK
}

// renewed hashes the password of a person who comes from elsewhere as we do,
// and returns the hash that is kept.
func (s *server) renewed(ctx context.Context, tenant uuid.UUID, c login.Credential, password string) (string, error) {
	if !s.hasher.Outdated(c.Hash) {
		return c.Hash, nil
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err == nil {
		err = s.store.Rehash(ctx, tenant, c.User, c.Hash, hash)
	}
	return hash, err
}

// replaced returns the person's session in this browser, if there is one, in
// whose place the new one comes.
func (s *server) replaced(r *http.Request, tenant, user uuid.UUID) (uuid.UUID, error) {
	was, err := s.heldSession(r, tenant)
	if err != nil || was == nil || was.UserID != user {
		return uuid.Nil, err
	}
	return was.ID, nil
}

// event is what a person, or with uuid.Nil nobody known, did in a browser.
func event(r *http.Request, user uuid.UUID, action string) login.Event {
	e := login.EventOf(identity.Caller{User: user, Request: identity.Request{ID: rest.RequestID(r.Context())}}, action, "")
	if e.Network = login.Network(address(r)); user == uuid.Nil {
		e.Actor = ""
	}
	return e
}

// failed counts a failure, and takes as long as every other. The trail names the
// account, if there is one, and never what was typed: people type passwords into
// the wrong field.
func (s *server) failed(r *http.Request, c *client, a attempt) error {
	e := event(r, uuid.Nil, login.LoginFailed)
	e.Detail = map[string]string{"client": c.ID}
	if a.User != uuid.Nil {
		e.Subject = identity.Caller{User: a.User}.Subject()
	}
	err := s.store.Failed(r.Context(), c.Tenant, e, a.failures...)
	select {
	case <-time.After(time.Until(a.begun.Add(s.failing))):
	case <-r.Context().Done():
	}
	return err
}

func (s *server) unavailable(w http.ResponseWriter, r *http.Request, err error) (*login.Session, string, int) {
	if f := fault.As(err); f != nil && f.Code == "busy" { // the hasher's bound, which is no failure
		w.Header().Set("Retry-After", "2")
		return nil, "Too many people log in right now. Please try again in a moment.", http.StatusServiceUnavailable
	}
	told := rest.Tell(w, r, err)
	return nil, told.Text, told.Status
}

// address is the client's, as the gateway saw it: it overwrites the header.
func address(r *http.Request) string {
	if from := r.Header.Get("X-Forwarded-For"); from != "" {
		return strings.TrimSpace(from[strings.LastIndexByte(from, ',')+1:])
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

// agent is how the browser calls itself, as far as it is fit to be shown.
func agent(r *http.Request) string {
	plain := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, r.UserAgent())
	return plain[:min(len(plain), 300)]
}

// currentSession returns the browser's session with a tenant, by which the person
// is logged in, or nil.
func (s *server) currentSession(r *http.Request, tenant uuid.UUID) (*login.Session, error) {
	sess, err := s.heldSession(r, tenant)
	if sess != nil && sess.Idle {
		sess = nil
	}
	return sess, err
}

// heldSession is currentSession of whoever holds one, though idle: it can be
// ended, and another login goes on with what it gave.
func (s *server) heldSession(r *http.Request, tenant uuid.UUID) (*login.Session, error) {
	all := s.sessionValues(r)
	i := slices.IndexFunc(all, func(v sessionValue) bool { return v.tenant == tenant })
	if i < 0 {
		return nil, nil
	}
	sess, err := s.store.Session(r.Context(), tenant, digest(all[i].secret))
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return &sess, err
}
