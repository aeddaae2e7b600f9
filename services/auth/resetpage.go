package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// linkPage is what the pages behind mailed links, and before them, show.
type linkPage struct {
	Token, ClientID, CSRF, Problem string
	Done, Broken                   bool
}

func (p linkPage) failed(err error) linkPage {
	var f *fault.Error
	switch {
	case err == nil:
		p.Done = true
	case errors.As(err, &f) && len(f.Fields) > 0:
		p.Problem = f.Fields[0].Message
	case errors.As(err, &f) && f.Kind != fault.Unavailable:
		p.Problem, p.Broken = f.Message, f.Kind == fault.NotFound
	default:
		p.Problem = "A part of the server does not answer. Please try again in a moment."
	}
	return p
}

func (p linkPage) status() int {
	switch {
	case p.Problem == "":
		return http.StatusOK
	case p.Broken:
		return http.StatusNotFound
	}
	return http.StatusUnprocessableEntity
}

// posted reads a form of ours, and answers itself what is none.
func (s *server) posted(w http.ResponseWriter, r *http.Request) bool {
	if err := parseForm(w, r); err != nil {
		s.refuse(w, http.StatusBadRequest, "The form cannot be read.")
		return false
	}
	if forged(r) {
		s.refuse(w, http.StatusForbidden, "This form is no longer valid. Go back and open the page anew.")
		return false
	}
	return true
}

// forgot asks for the address of whoever has no password any more.
func (s *server) forgot(w http.ResponseWriter, r *http.Request) {
	show(w, "forgot.html", linkPage{ClientID: r.URL.Query().Get("client_id"), CSRF: s.csrf(w, r)}, http.StatusOK, "'self'")
}

// sendReset gives the same answer, in the same time, whether or not anybody has
// the address: a mail is sent later.
func (s *server) sendReset(w http.ResponseWriter, r *http.Request) {
	if !s.posted(w, r) {
		return
	}
	p := linkPage{ClientID: r.PostForm.Get("client_id"), CSRF: s.csrf(w, r)}
	c, err := s.findClient(r.Context(), p.ClientID)
	if fault.Is(err, fault.NotFound) || err == nil && c.Tenant == uuid.Nil {
		s.refuse(w, http.StatusBadRequest, "There is no such application. Begin again where you wanted to log in.")
		return
	}
	if err == nil {
		err = s.askReset(r, c)
	}
	p = p.failed(err)
	show(w, "forgot.html", p, p.status(), "'self'")
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
		return fault.New(fault.Throttled, "too_many_attempts", "There were too many attempts. Please try again in a minute.")
	}
	e := event(r, uuid.Nil, login.PasswordResetRequested)
	e.Subject = identity.Caller{User: found.User}.Subject() // noted only if somebody has the address
	return s.store.AskReset(ctx, c.Tenant, email, uuid.New(), e, asked)
}

// reset shows the page behind the mailed link.
func (s *server) reset(w http.ResponseWriter, r *http.Request) {
	p := linkPage{Token: r.URL.Query().Get("token"), CSRF: s.csrf(w, r)}
	tenant, link, ok := readLink(p.Token)
	err := fault.New(fault.NotFound, "link_unknown", "This link is not valid.")
	if ok {
		_, lookup := s.store.Link(r.Context(), tenant, login.ResetLink, link)
		ok = !fault.Is(lookup, fault.NotFound)
	}
	if !ok {
		p = p.failed(err)
	}
	show(w, "reset.html", p, p.status(), "'self'")
}

// setPassword takes the page's form.
func (s *server) setPassword(w http.ResponseWriter, r *http.Request) {
	if !s.posted(w, r) {
		return
	}
	p := linkPage{Token: r.PostForm.Get("token"), CSRF: s.csrf(w, r)}
	tenant, link, _ := readLink(p.Token)
	p = p.failed(s.people.ResetPassword(r.Context(), tenant, link, r.PostForm.Get("password"), event(r, uuid.Nil, "")))
	show(w, "reset.html", p, p.status(), "'self'")
}

// verify shows the page behind the other mailed link: mail scanners open links,
// so that the person is asked for one more click.
func (s *server) verify(w http.ResponseWriter, r *http.Request) {
	show(w, "verify.html", linkPage{Token: r.URL.Query().Get("token"), CSRF: s.csrf(w, r)}, http.StatusOK, "'self'")
}

func (s *server) verified(w http.ResponseWriter, r *http.Request) {
	if !s.posted(w, r) {
		return
	}
	tenant, link, _ := readLink(r.PostForm.Get("token"))
	p := linkPage{}.failed(s.people.VerifyEmail(r.Context(), tenant, link, event(r, uuid.Nil, "")))
	show(w, "verify.html", p, p.status(), "'self'")
}
