package main

import (
	"crypto/subtle"
	"embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

//go:embed pages/*.html
var pages embed.FS

var templates = template.Must(template.ParseFS(pages, "pages/*.html"))

const (
	sessionCookie = "bailiwick_session"
	csrfCookie    = "bailiwick_csrf"
)

// loginPage is what the page shows.
type loginPage struct {
	Client, Request, CSRF, Email, Problem string
}

// showLogin asks the person to log in. Browsers hold form-action against the
// redirect that follows a form too, so the client's origin is named in it.
func (s *server) showLogin(w http.ResponseWriter, r *http.Request, a *authorization, p loginPage, status int) {
	p.Client, p.Request = a.client.Name, a.request()
	if c, err := r.Cookie(csrfCookie); err == nil && len(c.Value) == 43 {
		p.CSRF = c.Value
	} else {
		p.CSRF = opaque()
		s.setCookie(w, r, csrfCookie, p.CSRF, 0)
	}
	target := "'self'"
	if u, err := url.Parse(a.client.redirect); err == nil {
		target += " " + u.Scheme + ":"
		if u.Host != "" {
			target += "//" + u.Host
		}
	}
	show(w, "login.html", p, status, target)
}

func (s *server) refuse(w http.ResponseWriter, status int, why string) {
	show(w, "message.html", map[string]string{"Title": "This did not work", "Text": why}, status, "'none'")
}

func show(w http.ResponseWriter, name string, data any, status int, formAction string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action "+formAction+"; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	noStore(w)
	w.WriteHeader(status)
	_ = templates.ExecuteTemplate(w, name, data) // the client is gone if this fails
}

func (s *server) setCookie(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/auth", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: r.Header.Get("X-Forwarded-Proto") == "https", MaxAge: int(life.Seconds()),
	})
}

// forged reports whether a form was not sent by a page of ours: its token must
// be the cookie's, which no other site can read or know.
func forged(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return true
		}
	}
	c, err := r.Cookie(csrfCookie)
	return err != nil || len(c.Value) != 43 || subtle.ConstantTimeCompare([]byte(c.Value), []byte(r.PostForm.Get("csrf"))) != 1
}

// login takes the page's form and goes on with the authorization that it holds.
func (s *server) login(w http.ResponseWriter, r *http.Request) {
	if err := parseForm(w, r); err != nil {
		s.refuse(w, http.StatusBadRequest, "The form cannot be read.")
		return
	}
	if forged(r) {
		s.refuse(w, http.StatusForbidden, "This form is no longer valid. Go back to the application and log in again.")
		return
	}
	params, err := url.ParseQuery(r.PostForm.Get("request"))
	if err != nil {
		s.refuse(w, http.StatusBadRequest, "The form cannot be read.")
		return
	}
	a, ok := s.check(w, r, params)
	if !ok {
		return
	}
	sess, problem, status := s.logIn(w, r, a)
	if problem != "" {
		s.showLogin(w, r, a, loginPage{Email: r.PostForm.Get("email"), Problem: problem}, status)
		return
	}
	a.finish(w, r, sess)
}

const wrong = "The e-mail address or the password is wrong."

// logIn gives the same answer, in the same time, whether or not anybody has
// the address.
func (s *server) logIn(w http.ResponseWriter, r *http.Request, a *authorization) (*login.Session, string, int) {
	ctx, tenant := r.Context(), a.client.Tenant
	email, password := login.Normal(r.PostForm.Get("email")), r.PostForm.Get("password")
	if utf8.RuneCountInString(password) > login.MaxPassword || len(email) > 254 {
		return nil, wrong, http.StatusUnauthorized
	}
	failures := login.Failures(tenant, email, address(r))
	c, until, err := s.store.Attempt(ctx, tenant, email, failures[0].Key, failures[1].Key)
	if err != nil {
		return s.unavailable(w, err)
	}
	if wait := time.Until(until); wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(wait.Seconds())+1))
		return nil, fmt.Sprintf("There were too many attempts. Try again in %d seconds.", int(wait.Seconds())+1), http.StatusTooManyRequests
	}
	good, err := s.hasher.Verify(ctx, c.Hash, password)
	if err != nil {
		return s.unavailable(w, err)
	}
	if !good || !c.Enabled {
		return s.failed(w, r, a, c, failures)
	}
	value := opaque()
	sess := login.Session{ID: uuid.New(), UserID: c.User, AuthenticatedAt: time.Now(), ExpiresAt: time.Now().Add(sessionLife), Network: login.Network(address(r)), UserAgent: agent(r)}
	if err := s.store.LoggedIn(ctx, tenant, digest(value), sess, c.Hash, failures[0].Key); err != nil {
		if fault.Is(err, fault.NotFound) { // the password was changed in this moment
			return nil, wrong, http.StatusUnauthorized
		}
		return s.unavailable(w, err)
	}
	s.setCookie(w, r, sessionCookie, tenant.String()+"."+value, sessionLife)
	return &sess, "", http.StatusOK
}

// failed counts a failure. The trail names the account, if there is one, and
// never what was typed: people type passwords into the wrong field.
func (s *server) failed(w http.ResponseWriter, r *http.Request, a *authorization, c login.Credential, failures []login.Failure) (*login.Session, string, int) {
	e := login.Event{At: time.Now().UTC(), Action: login.LoginFailed, Network: login.Network(address(r)), Request: rest.RequestID(r.Context()), Detail: map[string]string{"client": a.client.ID}}
	if c.User != uuid.Nil {
		e.Subject = identity.Caller{User: c.User}.Subject()
	}
	if err := s.store.Failed(r.Context(), a.client.Tenant, e, failures...); err != nil {
		return s.unavailable(w, err)
	}
	return nil, wrong, http.StatusUnauthorized
}

func (s *server) unavailable(w http.ResponseWriter, err error) (*login.Session, string, int) {
	if !fault.Is(err, fault.Unavailable) {
		return nil, "Something went wrong on our side. Please try again.", http.StatusInternalServerError
	}
	w.Header().Set("Retry-After", "2")
	return nil, "Too many people log in right now. Please try again in a moment.", http.StatusServiceUnavailable
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

// sessionValue returns the tenant and the secret of the browser's session.
func sessionValue(r *http.Request) (uuid.UUID, string) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return uuid.Nil, ""
	}
	tenant, value, _ := strings.Cut(c.Value, ".")
	id, err := uuid.Parse(tenant)
	if err != nil {
		return uuid.Nil, ""
	}
	return id, value
}

// currentSession returns the browser's session with a tenant, or nil.
func (s *server) currentSession(r *http.Request, tenant uuid.UUID) (*login.Session, error) {
	of, value := sessionValue(r)
	if of != tenant || value == "" {
		return nil, nil
	}
	sess, err := s.store.Session(r.Context(), tenant, digest(value))
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return &sess, err
}
