package main

import (
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"bailiwick.dev/adapters/pages/pagestest"
	"bailiwick.dev/adapters/rest/resttest"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/tenancy"
)

func TestAcceptPageIsSoundByKeyboardAndScreenReader(t *testing.T) {
	t.Parallel()
	common := "This password is among the first that are tried; choose another."
	for i, state := range []page{
		{Token: "t", Email: "ada@acme.example"}, {Token: "t", Email: "ada@acme.example", Name: "Ada", Person: true},
		{Token: "t", Email: "ada@acme.example", Problem: common, Field: "/password"},
		{Token: "t", Email: "ada@acme.example", Person: true, Problem: common, Field: "/password"},
		{Token: "t", Email: "ada@acme.example", Person: true, Problem: "A name has 1 to 200 characters, on one line, without :// and www.", Field: "/name"},
		{Token: "t", Problem: "A part of the server does not answer. Please try again in a moment."},
		{Problem: "This link was used; log in instead.", Broken: true}, {Problem: "This link is no longer valid; ask for a new one.", Person: true, Broken: true},
		{Done: true}, {Done: true, Person: true},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			w := httptest.NewRecorder()
			state.show(w)
			pagestest.Hold(t, "users-accept-"+strconv.Itoa(i), w.Body.String())
		})
	}
}

// says opens a link and fails the test unless it does not work for this reason.
func (p *platform) says(t *testing.T, token, why string, status int) {
	t.Helper()
	page := string(p.do(t, "", "GET", "/accept?token="+token, nil).Want(t, status).Body)
	if !strings.Contains(page, "<h1>This link does not work</h1>") || !strings.Contains(page, why) || strings.Contains(page, "<form") {
		t.Errorf("want %q: %s", why, page)
	}
}

func TestLinkThatDoesNotWorkSaysSoBeforeAnythingIsTyped(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	p.says(t, "x", "This link is not valid, or not any more; open it again from the mail, or ask for another.", 404)
	who, owner := p.owned(t)
	p.says(t, p.letters.Links.Token(tenancy.Link{Tenant: who.Tenant}), "This link was used; log in instead.", 409)
	i := resttest.JSON[tenancy.Invitation](t, p.do(t, owner, "POST", "/v1/invitations", `{"email":"grace@acme.example","name":"Grace","role":"member"}`).Want(t, 201))
	link := p.letters.Links.Token(tenancy.Link{Tenant: who.Tenant, Invitation: i.ID})
	if page := string(p.do(t, "", "GET", "/accept?token="+link, nil).Want(t, 200).Body); !strings.Contains(page, "for <strong>grace@acme.example</strong>") || !strings.Contains(page, `name="name" value="Grace"`) {
		t.Errorf("an invitation: %s", page)
	}
	form := url.Values{"token": {link}, "name": {" "}, "password": {"long enough"}}
	if page := string(p.do(t, "", "POST", "/accept", form.Encode(), "Content-Type", "application/x-www-form-urlencoded").Want(t, 422).Body); !strings.Contains(page, "A name has 1 to 200 characters") || !strings.Contains(page, "for <strong>grace@acme.example</strong>") {
		t.Errorf("a name of a space: %s", page)
	}
	p.db.Exec(t, "update invitations set expires_at = now()")
	p.says(t, link, "This link is no longer valid; ask for a new one.", 409)
	p.says(t, p.letters.Links.Token(tenancy.Link{Tenant: i.ID}), "This link is not valid", 404)
}
