package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// accountPage is a person's own: their sessions, the newest first, their consents
// and their password.
type accountPage struct {
	Email, CSRF, Problem, Field string
	Older                       string // the cursor of the sessions before these; empty: there are none
	Sessions                    []login.Session
	Consents                    []application
	Current                     uuid.UUID
	Changed                     bool
}

// application is what a person has let a client do, as the page shows it.
type application struct {
	login.Consent
	May []string
}

// owner returns the person who is logged in, where they were last, and answers
// itself if nobody is.
func (s *server) owner(w http.ResponseWriter, r *http.Request) (identity.Caller, *login.Session, bool) {
	for _, v := range s.sessionValues(r) {
		sess, err := s.currentSession(r, v.tenant)
		switch {
		case err != nil:
			s.broken(w, r, err)
			return identity.Caller{}, nil, false
		case sess != nil:
			return identity.Caller{Tenant: v.tenant, User: sess.UserID}, sess, true
		}
	}
	const text = "You are not logged in. Log in through an application of your company, then open the page of your account again."
	show(w, "message.html", map[string]any{"Title": "This did not work", "Text": text, "Account": true}, http.StatusUnauthorized, "'none'") // the address may be a form's
	return identity.Caller{}, nil, false
}

func (s *server) account(w http.ResponseWriter, r *http.Request) {
	if who, sess, ok := s.owner(w, r); ok {
		s.showAccount(w, r, who, sess, accountPage{}, http.StatusOK)
	}
}

func (s *server) showAccount(w http.ResponseWriter, r *http.Request, who identity.Caller, sess *login.Session, p accountPage, status int) {
	c, err := s.store.Credential(r.Context(), who.Tenant, who.User)
	if err == nil {
		p.Sessions, p.Older, err = s.newest(r, who)
	}
	if err == nil {
		p.Consents, err = s.consents(r.Context(), who)
	}
	if err != nil {
		s.broken(w, r, err)
		return
	}
	p.Email, p.CSRF, p.Current = c.Email, s.csrf(w, r), sess.ID
	show(w, "account.html", p, status, "'self'")
}

// newest returns a page of sessions with the cursor of the next.
func (s *server) newest(r *http.Request, who identity.Caller) ([]login.Session, string, error) {
	cursors := rest.Cursors{Key: s.cfg.CursorKey}
	asked, err := cursors.Request(who, "account", rest.PageInput{Limit: 100, Cursor: r.URL.Query().Get("cursor")})
	if err != nil {
		return nil, "", err
	}
	all, err := s.store.NewestSessions(r.Context(), who, asked)
	return all.Items, cursors.Next(who, "account", all.Next), err
}

func (s *server) consents(ctx context.Context, who identity.Caller) (shown []application, err error) {
	all, err := s.store.Consents(ctx, who)
	for _, c := range all {
		one := application{Consent: c}
		for _, scope := range c.Scopes {
			one.May = append(one.May, login.MeaningOf(scope).Title)
		}
		shown = append(shown, one)
	}
	return shown, err
}

// owned is owner for a form of the person's page.
func (s *server) owned(w http.ResponseWriter, r *http.Request) (identity.Caller, *login.Session, bool) {
	if !s.posted(w, r) {
		return identity.Caller{}, nil, false
	}
	return s.owner(w, r)
}

// changePassword takes the form of the person's page. Every other session ends,
// and every program's tokens.
func (s *server) changePassword(w http.ResponseWriter, r *http.Request) {
	who, sess, ok := s.owned(w, r)
	if !ok {
		return
	}
	err := s.people.ChangePassword(r.Context(), who, r.PostForm.Get("current"), r.PostForm.Get("password"), sess.ID, event(r, who.User, ""))
	if err == nil {
		s.showAccount(w, r, who, sess, accountPage{Changed: true}, http.StatusOK)
		return
	}
	told := rest.Tell(w, r, err)
	s.showAccount(w, r, who, sess, accountPage{Problem: told.Text, Field: told.Field}, told.Status)
}

// endSessions takes the forms that log out of one browser, or everywhere.
func (s *server) endSessions(w http.ResponseWriter, r *http.Request) {
	who, sess, ok := s.owned(w, r)
	if !ok {
		return
	}
	id, err := sess.ID, error(nil)
	if one := r.PostForm.Get("session"); one == "" {
		err = s.store.EndSessions(r.Context(), who, uuid.Nil, event(r, who.User, login.SessionsEnded))
	} else if id, err = uuid.Parse(one); err == nil {
		err = s.store.EndSession(r.Context(), who, id, event(r, who.User, login.SessionEnded))
	} else {
		s.refuse(w, http.StatusBadRequest, "The form names no session.")
		return
	}
	switch {
	case err != nil && !fault.Is(err, fault.NotFound):
		s.broken(w, r, err)
	case id == sess.ID:
		s.holdSessions(w, s.otherSessions(r, who.Tenant))
		show(w, "message.html", map[string]string{"Title": "You are logged out", "Text": "You can close this page."}, http.StatusOK, "'none'")
	default:
		http.Redirect(w, r, "/auth/account", http.StatusSeeOther)
	}
}

// withdraw takes the form by which a person takes back what an application may
// do. What it holds ends, and it must ask again.
func (s *server) withdraw(w http.ResponseWriter, r *http.Request) {
	who, _, ok := s.owned(w, r)
	if !ok {
		return
	}
	client := r.PostForm.Get("client")
	e := event(r, who.User, login.ConsentWithdrawn)
	e.Subject = "client:" + client
	if err := s.store.Withdraw(r.Context(), who, client, e); err != nil && !fault.Is(err, fault.NotFound) {
		s.broken(w, r, err)
		return
	}
	http.Redirect(w, r, "/auth/account", http.StatusSeeOther)
}
