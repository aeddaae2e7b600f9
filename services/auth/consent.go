package main

import (
	"net/http"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"bailiwick.dev/domain/login"
)

// consentPage is what the page shows.
type consentPage struct {
	Client, Request, Proof, CSRF, Email string
	Scopes                              []login.Meaning
}

func (a *authorization) scopes() []string { return strings.Fields(a.params.Get("scope")) }

// proceed gives the client its code as soon as the person, who is logged in,
// has let it do what it asks for.
func (a *authorization) proceed(w http.ResponseWriter, r *http.Request, sess *login.Session) {
	consented, err := a.store.Consented(r.Context(), a.client.Tenant, sess.UserID, a.client.ID)
	switch {
	case err != nil:
		a.fail(w, r, err)
	case !a.prompts("consent") && !a.client.NeedsConsent(consented, a.scopes()):
		a.finish(w, r, sess)
	case a.prompts("none"):
		a.fail(w, r, fosite.ErrConsentRequired)
	default:
		a.showConsent(w, r, sess)
	}
}

func (a *authorization) showConsent(w http.ResponseWriter, r *http.Request, sess *login.Session) {
	c, err := a.store.Credential(r.Context(), a.client.Tenant, sess.UserID)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	p := consentPage{Client: a.client.Name, Request: a.request(), Proof: a.proof(sess), CSRF: a.csrf(w, r), Email: c.Email}
	for _, scope := range a.scopes() {
		p.Scopes = append(p.Scopes, login.MeaningOf(scope))
	}
	show(w, "consent.html", p, http.StatusOK, anywhere)
}

// consent takes the page's form.
func (s *server) consent(w http.ResponseWriter, r *http.Request) {
	a, ok := s.continued(w, r)
	if !ok {
		return
	}
	sess, err := s.currentSession(r, a.client.Tenant)
	switch {
	case err != nil:
		a.fail(w, r, err)
	case sess == nil || a.needsLogin(sess) && !a.isProved(r, sess):
		s.showLogin(w, r, a, loginPage{Email: a.params.Get("login_hint")}, http.StatusOK)
	case r.PostForm.Get("decision") != "allow":
		a.fail(w, r, fosite.ErrAccessDenied)
	default:
		a.consented(w, r, sess)
	}
}

func (a *authorization) consented(w http.ResponseWriter, r *http.Request, sess *login.Session) {
	e := event(r, sess.UserID, login.ConsentGiven)
	e.Subject, e.Detail = "client:"+a.client.ID, map[string]string{"scopes": strings.Join(slices.Sorted(slices.Values(a.scopes())), " ")}
	if err := a.store.Consent(r.Context(), a.client.Tenant, sess.UserID, a.client.ID, a.scopes(), e); err != nil {
		a.fail(w, r, err)
		return
	}
	a.finish(w, r, sess)
}
