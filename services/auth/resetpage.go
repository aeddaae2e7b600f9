package main

import (
	"cmp"
	"net/http"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// linkPage is what the pages behind mailed links, and before them, show.
type linkPage struct {
	Token, ClientID, CSRF, Email, Problem, Field string
	Done, Broken                                 bool
	Account                                      bool // a session is there, whose account can be looked at
	status                                       int
}

// ended tells what became of the page's form: done, if err is nil.
func (p linkPage) ended(w http.ResponseWriter, r *http.Request, err error) linkPage {
	if err == nil {
		p.Done, p.status = true, http.StatusOK
		return p
	}
	told := rest.Tell(w, r, err)
	p.Problem, p.Field, p.status, p.Broken = told.Text, told.Field, told.Status, told.Status == http.StatusNotFound
	return p
}

func (p linkPage) show(w http.ResponseWriter, name string) {
	show(w, name, p, cmp.Or(p.status, http.StatusOK), "'self'")
}

// behind returns the page behind a mailed link: whose it is, or that it does
// not work.
func (s *server) behind(w http.ResponseWriter, r *http.Request, purpose, token string) linkPage {
	p := linkPage{Token: token, CSRF: s.csrf(w, r)}
	tenant, link := readLink(token)
	c, err := s.store.Link(r.Context(), tenant, purpose, link)
	if fault.Is(err, fault.NotFound) {
		err = login.ErrLink
	}
	if p.Email = c.Email; err != nil {
		p = p.ended(w, r, err)
	}
	return p
}

// posted reads a form of ours, and answers itself what is none.
func (s *server) posted(w http.ResponseWriter, r *http.Request) bool {
	if err := parseForm(w, r); err != nil {
		s.refuse(w, http.StatusBadRequest, "The form cannot be read.")
		return false
	}
	if s.forged(r) {
		s.refuse(w, http.StatusForbidden, "This form is no longer valid. Go back and open the page anew.")
		return false
	}
	return true
}

// forgot asks for the address of whoever has no password any more.
func (s *server) forgot(w http.ResponseWriter, r *http.Request) {
	if c, ok := s.forgottenAt(w, r, r.URL.Query().Get("client_id")); ok {
		linkPage{ClientID: c.ID, CSRF: s.csrf(w, r)}.show(w, "forgot.html")
	}
}

// forgottenAt returns the client where a person wants to log in, of whose tenant
// the person is, and answers itself if there is none.
func (s *server) forgottenAt(w http.ResponseWriter, r *http.Request, id string) (login.Client, bool) {
	c, err := s.findClient(r.Context(), id)
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && c.Tenant == uuid.Nil:
		s.refuse(w, http.StatusBadRequest, "There is no such application. Begin again where you wanted to log in.")
	case err != nil:
		s.broken(w, r, err)
	default:
		return c, true
	}
	return c, false
}

// sendReset gives the same answer, in the same time, whether or not anybody has
// the address: a mail is sent later.
func (s *server) sendReset(w http.ResponseWriter, r *http.Request) {
	if !s.posted(w, r) {
		return
	}
	c, ok := s.forgottenAt(w, r, r.PostForm.Get("client_id"))
	if !ok {
		return
	}
	p := linkPage{ClientID: c.ID, CSRF: s.csrf(w, r), Email: r.PostForm.Get("email")}
	p.ended(w, r, s.askReset(r, c)).show(w, "forgot.html")
}

// askReset counts what is asked for from one network: nobody is made to receive
// mails without end.
func (s *server) askReset(r *http.Request, c login.Client) error {
	ctx, asked, email := r.Context(), login.ResetRequests(c.Tenant, address(r)), login.Normal(r.PostForm.Get("email"))
	found, until, err := s.store.Attempt(ctx, c.Tenant, email, asked.Key)
	if err != nil {
		return err
	}
	if wait := time.Until(until); wait > 0 {
		return &fault.Error{Kind: fault.Throttled, Code: "too_many_attempts", Message: "there were too many attempts; try again in a minute", RetryAfter: wait}
	}
	e := event(r, uuid.Nil, login.PasswordResetRequested)
	e.Subject = identity.Caller{User: found.User}.Subject() // noted only if somebody has the address
	return s.store.AskReset(ctx, c.Tenant, email, uuid.Must(uuid.NewV7()), e, asked)
}

// reset shows the page behind the mailed link.
func (s *server) reset(w http.ResponseWriter, r *http.Request) {
	s.behind(w, r, login.ResetLink, r.URL.Query().Get("token")).show(w, "reset.html")
}

// setPassword takes the page's form.
func (s *server) setPassword(w http.ResponseWriter, r *http.Request) {
	if !s.posted(w, r) {
		return
	}
	tenant, link := readLink(r.PostForm.Get("token"))
	err := s.people.ResetPassword(r.Context(), tenant, link, r.PostForm.Get("password"), event(r, uuid.Nil, ""))
	p := linkPage{Token: r.PostForm.Get("token"), CSRF: s.csrf(w, r)}
	if fault.Is(err, fault.Invalid) { // another may be chosen
		p = s.behind(w, r, login.ResetLink, p.Token)
	}
	p.ended(w, r, err).show(w, "reset.html")
}

// verify shows the page behind the other mailed link: mail scanners open links,
// so that the person is asked for one more click.
func (s *server) verify(w http.ResponseWriter, r *http.Request) {
	s.behind(w, r, login.VerificationLink, r.URL.Query().Get("token")).show(w, "verify.html")
}

func (s *server) verified(w http.ResponseWriter, r *http.Request) {
	if !s.posted(w, r) {
		return
	}
	tenant, link := readLink(r.PostForm.Get("token"))
	err := s.people.VerifyEmail(r.Context(), tenant, link, event(r, uuid.Nil, ""))
	p := linkPage{Token: r.PostForm.Get("token"), CSRF: s.csrf(w, r)}
	if err == nil {
		sess, _ := s.currentSession(r, tenant) // without it the page leads nowhere, and is as true
		p.Account = sess != nil
	}
	p.ended(w, r, err).show(w, "verify.html")
}
