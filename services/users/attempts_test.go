package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest/resttest"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/login"
	loginfake "bailiwick.dev/domain/login/fake"
	"bailiwick.dev/domain/tenancy"
)

// auth keeps credentials as the auth service does; a hash is the password, which
// is made after a while.
type auth struct {
	*neighbours
	people loginfake.Store
}

func (a *auth) PutCredential(ctx context.Context, tenant uuid.UUID, c tenancy.Credential) error {
	time.Sleep(rand.N(3 * time.Millisecond))
	return a.people.PutCredential(ctx, tenant, login.Credential{User: c.User, Email: c.Email, Hash: c.Password, Attempt: c.Attempt}, login.Event{})
}

func (a *auth) EnableCredential(ctx context.Context, tenant, user uuid.UUID) error {
	return a.people.EnableCredential(ctx, tenant, user, login.Event{})
}

// uses are the answers to twenty uses of a link at once.
func (p *platform) uses(t *testing.T, path string, l tenancy.Link, password func(n int) string, headers ...string) []resttest.Response {
	t.Helper()
	got := make([]resttest.Response, 20)
	var all sync.WaitGroup
	for n := range got {
		body := map[string]string{"token": p.letters.Links.Token(l), "password": password(n)}
		all.Go(func() { got[n] = p.do(t, "", "POST", path, body, headers...) })
	}
	all.Wait()
	return got
}

// One of many who use a link at once is let through, and the password of that
// one counts; one request that comes many times is answered alike.
func TestPasswordOfWhoIsLetThroughCounts(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	who, owner := p.owned(t)
	kept := &auth{neighbours: p.neighbours}
	p.service.Credentials = kept
	invite := func() tenancy.Link {
		i := p.do(t, owner, "POST", "/v1/invitations", `{"email":"`+uuid.NewString()+`@acme.example","name":"Grace","role":"member"}`).Want(t, 201)
		return tenancy.Link{Tenant: who.Tenant, Invitation: resttest.JSON[tenancy.Invitation](t, i).ID}
	}
	register := func() tenancy.Link { return tenancy.Link{Tenant: p.register(t).ID} }
	for path, link := range map[string]func() tenancy.Link{"/v1/invitations/acceptance": invite, registrationsPath + "/verification": register} {
		for range 25 {
			l := link()
			won := ""
			for n, got := range p.uses(t, path, l, func(n int) string { return fmt.Sprintf("password %02d", n) }) {
				switch {
				case got.Status >= 300 && got.Status != http.StatusConflict:
					t.Errorf("%s is answered %d %s", path, got.Status, got.Body)
				case got.Status < 300 && won != "":
					t.Errorf("%s lets two through", path)
				case got.Status < 300:
					won = fmt.Sprintf("password %02d", n)
				}
			}
			p.keeps(t, kept, l, won)
		}
		l := link()
		for _, got := range p.uses(t, path, l, func(int) string { return "long enough" }, "Idempotency-Key", l.Invitation.String()) {
			if got.Status >= 300 {
				t.Errorf("%s: one request that comes often is answered %d %s", path, got.Status, got.Body)
			}
		}
		p.keeps(t, kept, l, "long enough")
	}
}

// One request that comes thrice at once, beside others that use the link, is answered
// alike: also where a copy of it is overtaken by what another copy overtakes.
func TestCopiesOfARequestAmongRivalsAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	who, owner := p.owned(t)
	kept := &auth{neighbours: p.neighbours}
	p.service.Credentials = kept
	won := 0
	for range 40 {
		i := resttest.JSON[tenancy.Invitation](t, p.do(t, owner, "POST", "/v1/invitations", `{"email":"`+uuid.NewString()+`@acme.example","role":"member"}`).Want(t, 201))
		l := tenancy.Link{Tenant: who.Tenant, Invitation: i.ID}
		var status [6]int
		var all sync.WaitGroup
		for n := range status {
			body, headers := map[string]string{"token": p.letters.Links.Token(l), "name": "Grace", "password": "of a rival"}, []string(nil)
			if n%2 == 0 {
				body["password"], headers = "of the three", []string{"Idempotency-Key", i.ID.String()}
			}
			all.Go(func() {
				time.Sleep(rand.N(3 * time.Millisecond))
				status[n] = p.do(t, "", "POST", "/v1/invitations/acceptance", body, headers...).Status
			})
		}
		if all.Wait(); status[0] != status[2] || status[2] != status[4] {
			t.Errorf("the three are answered %d, %d, %d", status[0], status[2], status[4])
		}
		if status[0] == http.StatusCreated {
			won++
			p.keeps(t, kept, l, "of the three")
		}
	}
	t.Logf("the three were let through %d times of 40", won)
}

// keeps fails the test unless the password is that of whom the link was sent to.
func (p *platform) keeps(t *testing.T, in *auth, l tenancy.Link, password string) {
	t.Helper()
	user := l.Invitation
	if user == uuid.Nil {
		r, err := p.service.Store.Registration(t.Context(), l.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		user = r.OwnerID
	}
	c, err := in.people.Credential(t.Context(), l.Tenant, user)
	if err != nil || c.Hash != password || c.Enabled != (l.Invitation != uuid.Nil) {
		t.Errorf("auth keeps %+v, %v, want %q", c, err, password)
	}
}

// The service dies after auth has taken a password: the link works still, and the
// next password counts, also when the first comes to auth once more, late.
func TestHalfAUseLeavesTheLinkToTheNext(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	who, owner := p.owned(t)
	kept := &auth{neighbours: p.neighbours}
	p.service.Credentials = kept
	i, accept := p.invited(t, owner)
	l := tenancy.Link{Tenant: who.Tenant, Invitation: i.ID}
	n, err := p.service.Store.Attempt(t.Context(), l, "who died", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	half := tenancy.Credential{User: i.ID, Email: i.Email, Password: "of who died", Attempt: n}
	if err := kept.PutCredential(t.Context(), who.Tenant, half); err != nil {
		t.Fatal(err)
	}
	accept().Want(t, 201)
	if err := kept.PutCredential(t.Context(), who.Tenant, half); err != nil {
		t.Fatal(err)
	}
	p.keeps(t, kept, l, "long enough")
}
