package main

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/usersdb"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/access"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

// neighbours stand in for the other services, and note what they are asked.
type neighbours struct {
	mu          sync.Mutex
	credentials map[uuid.UUID]tenancy.Credential
	roles       map[uuid.UUID]string
	begun       []tenancy.Pending
	mails       []tenancy.Mail
	suspended   bool
	promoted    bool // who is disabled is made an owner at that moment
	down        error
	opened      func() // runs before a credential is opened
	roleless    error  // what giving a role fails with
	member      uuid.UUID
	ungivable   error // what a subject that may give no role is told
	unmailed    error
}

func (n *neighbours) lock() func() { n.mu.Lock(); return n.mu.Unlock }

func (n *neighbours) PutCredential(_ context.Context, _ uuid.UUID, c tenancy.Credential) error {
	defer n.lock()()
	if len(c.Password) < 10 {
		return &fault.Error{Kind: fault.Invalid, Code: "invalid", Fields: []fault.Field{{Pointer: "/password", Code: "length", Message: "too short"}}}
	}
	n.credentials[c.User] = c
	return nil
}

func (n *neighbours) EnableCredential(_ context.Context, _, user uuid.UUID) error {
	if n.opened != nil {
		n.opened()
	}
	defer n.lock()()
	c := n.credentials[user]
	c.Enabled = true
	n.credentials[user] = c
	return n.down
}

func (n *neighbours) DisableCredential(_ context.Context, _, user uuid.UUID, _ string) error {
	defer n.lock()()
	c := n.credentials[user]
	c.Enabled = false
	n.credentials[user] = c
	if n.promoted {
		n.roles[user] = "owner"
	}
	return n.down
}

func (n *neighbours) suspend(suspended bool) error {
	defer n.lock()()
	n.suspended = suspended
	return n.down
}

func (n *neighbours) SuspendTenant(context.Context, uuid.UUID) error { return n.suspend(true) }
func (n *neighbours) ResumeTenant(context.Context, uuid.UUID) error  { return n.suspend(false) }

func (n *neighbours) Holds(_ context.Context, _, user uuid.UUID, _ access.Permission) (bool, error) {
	defer n.lock()()
	return n.roles[user] == "owner", n.down
}

func (n *neighbours) DeleteCredential(_ context.Context, _, user uuid.UUID) error {
	defer n.lock()()
	delete(n.credentials, user)
	return n.down
}

func (n *neighbours) Seed(context.Context, uuid.UUID) error   { return nil }
func (n *neighbours) Unseed(context.Context, uuid.UUID) error { return nil }

func (n *neighbours) Givable(_ context.Context, _ uuid.UUID, _ access.Subject, role string) (uuid.UUID, error) {
	switch role {
	case "member":
		return n.member, n.ungivable
	case "owner":
		return uuid.Nil, access.ErrForbidden()
	}
	return uuid.Nil, access.ErrNoRole()
}

func (n *neighbours) PutAssignment(_ context.Context, _, user uuid.UUID, role string) error {
	defer n.lock()()
	if n.roleless != nil {
		return n.roleless
	}
	n.roles[user] = role
	return n.down
}

func (n *neighbours) Begin(_ context.Context, p tenancy.Pending) error {
	defer n.lock()()
	n.begun = append(n.begun, p)
	return n.down
}

func (n *neighbours) Send(_ context.Context, m tenancy.Mail) error {
	defer n.lock()()
	n.mails = append(n.mails, m)
	return n.unmailed
}

// platform is the service on a database of its own.
type platform struct {
	db pgtest.Database
	*neighbours
	handler http.Handler
	issuer  *resttest.Issuer
	service *tenancy.Service
	queue   tenancy.Queue
	letters tenancy.Letters
}

func newPlatform(t *testing.T, gate access.Gate) *platform {
	t.Helper()
	db := pgtest.New(t, "users", usersdb.Migrations)
	n := &neighbours{member: uuid.New(), credentials: map[uuid.UUID]tenancy.Credential{}, roles: map[uuid.UUID]string{}}
	links := tenancy.Links{Key: []byte("0123456789abcdef0123456789abcdef")}
	p := &platform{neighbours: n, db: db, issuer: resttest.NewIssuer(t), queue: usersdb.NewQueue(db.System), letters: tenancy.Letters{Links: links, PublicURL: "http://api.test"}}
	p.service = &tenancy.Service{Store: usersdb.New(db.App), Gate: gate, Roles: n, Credentials: n, Onboarding: n, Links: links, Redirects: []string{"http://localhost/callback"}}
	p.handler = surface(config.Server{PublicURL: "http://api.test", CursorKey: links.Key}, p.issuer.Verifier(), nil, p.service).Handler()
	return p
}

func (p *platform) do(t *testing.T, token, method, path string, body any, headers ...string) resttest.Response {
	t.Helper()
	return resttest.Do(t, p.handler, token, method, "/users"+path, body, headers...)
}

const registrationsPath = "/v1/tenant-registrations"

func (p *platform) register(t *testing.T) tenancy.Registration {
	t.Helper()
	r := p.do(t, "", "POST", registrationsPath, `{"organisation":"Acme Ltd","owner":{"name":"Ada","email":"Ada@Acme.example"}}`).Want(t, 202)
	return resttest.JSON[tenancy.Registration](t, r)
}

// owned is an active tenant and a token of its owner.
func (p *platform) owned(t *testing.T) (identity.Caller, string) {
	t.Helper()
	r := p.register(t)
	full, err := p.service.Store.Registration(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	p.do(t, "", "POST", registrationsPath+"/verification", map[string]string{"token": p.letters.Links.Token(tenancy.Link{Tenant: r.ID}), "password": "long enough"}).Want(t, 202)
	who := identity.Caller{Tenant: r.ID, User: full.OwnerID, Scopes: []string{"users"}}
	for _, err := range []error{
		p.service.Store.AddTenant(t.Context(), tenancy.Tenant{ID: r.ID, Slug: r.Slug, Name: "Acme Ltd", Status: tenancy.TenantProvisioning, CreatedAt: full.CreatedAt}),
		p.service.Store.AddOwner(t.Context(), r.ID, tenancy.User{ID: who.User, Email: full.Email, Name: "Ada", Status: tenancy.UserActive, CreatedAt: full.CreatedAt}),
		p.service.Store.Activate(t.Context(), r.ID, full.CreatedAt),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return who, p.issuer.Token(t, who)
}

func TestRegistrationShowsNoPersonAndHappensOnce(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	body := `{"organisation":"Acme Ltd","slug":"acme","owner":{"name":"Ada","email":"ada@acme.example"}}`
	first := p.do(t, "", "POST", registrationsPath, body, "Idempotency-Key", "k").Want(t, 202)
	again := p.do(t, "", "POST", registrationsPath, body, "Idempotency-Key", "k").Want(t, 202)
	if string(first.Body) != string(again.Body) || first.Header.Get("Location") != again.Header.Get("Location") {
		t.Errorf("the same request: %s, then %s", first.Body, again.Body)
	}
	if strings.Contains(strings.ToLower(string(first.Body)), "ada") {
		t.Errorf("the answer names a person: %s", first.Body)
	}
	p.do(t, "", "POST", registrationsPath, strings.Replace(body, "Acme", "Other", 1), "Idempotency-Key", "k").Want(t, 422)
	p.do(t, "", "POST", registrationsPath, body).Want(t, 409)
	p.do(t, "", "GET", strings.TrimPrefix(first.Header.Get("Location"), "/users"), nil).Want(t, 200)
	p.do(t, "", "GET", registrationsPath+"/"+uuid.NewString(), nil).Want(t, 404)
}

func TestBadRegistrationsAreNamedAndChangeNothing(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	for pointer, body := range map[string]string{
		"/owner/email":     `{"organisation":"A","owner":{"name":"Ada","email":"no address"}}`,
		"/organisation":    `{"organisation":"","owner":{"name":"Ada","email":"a@b.example"}}`,
		"/slug":            `{"organisation":"A","slug":"No Slug","owner":{"name":"Ada","email":"a@b.example"}}`,
		"/redirect_uris/0": `{"organisation":"A","redirect_uris":["http://evil.example/"],"owner":{"name":"Ada","email":"a@b.example"}}`,
		"/tenant_id":       `{"organisation":"A","tenant_id":"x","owner":{"name":"Ada","email":"a@b.example"}}`,
	} {
		got := resttest.JSON[rest.Problem](t, p.do(t, "", "POST", registrationsPath, body).Want(t, 422))
		if len(got.Errors) == 0 || got.Errors[0].Pointer != pointer {
			t.Errorf("%s: %+v", pointer, got.Errors)
		}
	}
	if due, err := p.queue.DueRegistrations(t.Context(), tomorrow()); err != nil || len(due) != 0 {
		t.Errorf("left over: %v, %v", due, err)
	}
}

// A stranger has an address mailed ten times an hour, and is told nothing of whose it is.
func TestStrangersMailAnAddressTenTimesAnHour(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	p.owned(t) // the first address is a person's
	register := func(email, key string) resttest.Response {
		return p.do(t, "", "POST", registrationsPath, `{"organisation":"Acme Ltd","owner":{"name":"Ada","email":"`+email+`"}}`, "Idempotency-Key", key)
	}
	told := map[string]bool{}
	for _, email := range []string{"ada@acme.example", "nobody@acme.example"} {
		var last resttest.Response
		for n := range tenancy.MaxMails {
			last = register(email, email+strconv.Itoa(n)).Want(t, 202)
		}
		register(strings.Replace(email, "acme", "ＡＣme", 1), uuid.NewString()).Want(t, 429) // the same mailbox
		refused := register(strings.ToUpper(email), uuid.NewString()).Want(t, 429)
		problem := resttest.JSON[rest.Problem](t, refused)
		if wait, err := strconv.Atoi(refused.Header.Get("Retry-After")); err != nil || wait < 3500 || wait > 3600 || !strings.HasSuffix(problem.Type, "#too_many_registrations") {
			t.Errorf("one too many: %+v, again after %q", problem, refused.Header.Get("Retry-After"))
		}
		told[problem.Type+problem.Detail] = true
		register(email, email+"0").Want(t, 202) // a repetition
		token := p.letters.Links.Token(tenancy.Link{Tenant: resttest.JSON[tenancy.Registration](t, last).ID})
		p.do(t, "", "POST", registrationsPath+"/verification", map[string]string{"token": token, "password": "long enough"}).Want(t, 202)
		register(email, uuid.NewString()).Want(t, 202)
		register(email, uuid.NewString()).Want(t, 429)
	}
	if len(told) != 1 {
		t.Errorf("the answer tells addresses apart: %v", told)
	}
	p.db.Exec(t, "update unanswered_registrations set created_at = created_at - interval '1 hour' where address = sha256('ada@acme.example')")
	if err := p.queue.(usersdb.Queue).Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	var kept int
	if p.db.Scan(t, &kept, "select count(*) from unanswered_registrations"); kept != tenancy.MaxMails {
		t.Errorf("%d registrations count, want the %d of this hour", kept, tenancy.MaxMails)
	}
	register("ada@acme.example", uuid.NewString()).Want(t, 202)
}

// What a stranger writes into somebody's mail is no link, and reads as it is written.
func TestNamesInMailsAreWords(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	_, owner := p.owned(t)
	type object = map[string]any
	send := func(pointer, name string) resttest.Response {
		switch pointer {
		case "/organisation":
			return p.do(t, "", "POST", registrationsPath, object{"organisation": name, "owner": object{"name": "Ada", "email": "a@b.example"}})
		case "/owner/name":
			return p.do(t, "", "POST", registrationsPath, object{"organisation": "A", "owner": object{"name": name, "email": "a@b.example"}})
		}
		return p.do(t, owner, "POST", "/v1/invitations", object{"email": uuid.NewString() + "@b.example", "name": name, "role": "member"})
	}
	for pointer, made := range map[string]int{"/organisation": 202, "/owner/name": 202, "/name": 201} {
		for name, code := range map[string]string{
			"Win 1000 EUR at https://evil.example": "holds_link", "WWW.evil.example": "holds_link", "evil:// Ltd": "holds_link",
			"Acme \u202edtL": "invalid_character", "Acme\u2028Ltd": "invalid_character", "Acme\u0085Ltd": "invalid_character",
		} {
			if got := resttest.JSON[rest.Problem](t, send(pointer, name).Want(t, 422)); len(got.Errors) != 1 || got.Errors[0].Pointer != pointer || got.Errors[0].Code != code {
				t.Errorf("%s %q: %+v", pointer, name, got.Errors)
			}
		}
		for _, name := range []string{"A.B. Smith", "Acme.com", "Müller / Söhne: www", "شركة"} {
			send(pointer, name).Want(t, made)
		}
	}
	p.do(t, owner, "POST", "/v1/invitations", object{"email": "a\u202eb@b.example", "role": "member"}).Want(t, 422)
}

// What auth refuses of a client is refused before a mail is sent.
func TestRedirectURIsAreThoseThatAuthTakes(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	for uri, want := range map[string]int{
		"https://e.example/cb?code=x&state=y": 422, "https://a.example/c b": 422, "https://löwe.example/cb": 422, "https://a.example:99999/cb": 422,
		"com.example.app:/cb": 202, "https://e.example/cb?a=b": 202,
	} {
		got := p.do(t, "", "POST", registrationsPath, map[string]any{"organisation": "A", "redirect_uris": []string{"https://e.example/cb", uri}, "owner": map[string]string{"name": "Ada", "email": "a@b.example"}}).Want(t, want)
		if want == 422 {
			if problem := resttest.JSON[rest.Problem](t, got); len(problem.Errors) == 0 || problem.Errors[0].Pointer != "/redirect_uris/1" {
				t.Errorf("%s: %+v", uri, problem.Errors)
			}
		}
	}
}

func TestLinkVerifiesOnceWithAGoodPassword(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	r := p.register(t)
	token := p.letters.Links.Token(tenancy.Link{Tenant: r.ID})
	verify := func(token, password string, headers ...string) resttest.Response {
		return p.do(t, "", "POST", registrationsPath+"/verification", map[string]string{"token": token, "password": password}, headers...)
	}
	verify(token[:len(token)-2]+"AA", "long enough").Want(t, 404)
	if got := resttest.JSON[rest.Problem](t, verify(token, "tooshort").Want(t, 422)); got.Errors[0].Pointer != "/password" {
		t.Errorf("a short password: %+v", got.Errors)
	}
	if got := resttest.JSON[rest.Problem](t, verify(token, strings.Repeat("x", 129)).Want(t, 422)); got.Errors[0].Pointer != "/password" || got.Errors[0].Code != "out_of_range" {
		t.Errorf("a long password: %+v", got.Errors)
	}
	verify(token, "long enough", "Idempotency-Key", "v").Want(t, 202)
	verify(token, "long enough", "Idempotency-Key", "v").Want(t, 202)
	verify(token, "long enough").Want(t, 409)
	for _, c := range p.credentials {
		if c.Name != "Ada" || c.Organisation != "Acme Ltd" {
			t.Errorf("auth was told of %+v", c)
		}
	}
	if n := len(p.begun); n != 2 || !p.begun[1].Verified {
		t.Errorf("the onboarding was told %+v", p.begun)
	}
}

func TestPageBehindTheLink(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	token := p.letters.Links.Token(tenancy.Link{Tenant: p.register(t).ID})
	shown := p.do(t, "", "GET", "/accept?token="+token, nil).Want(t, 200)
	if !strings.Contains(shown.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || !strings.Contains(string(shown.Body), token) {
		t.Errorf("the page: %v", shown.Header)
	}
	p.do(t, "", "GET", "/accept?token=x", nil).Want(t, 404)
	form := url.Values{"token": {token}, "password": {"tooshort"}}
	p.do(t, "", "POST", "/accept", form.Encode(), "Content-Type", "application/x-www-form-urlencoded").Want(t, 422)
	form.Set("password", "long enough")
	if got := p.do(t, "", "POST", "/accept", form.Encode(), "Content-Type", "application/x-www-form-urlencoded").Want(t, 200); strings.Contains(string(got.Body), "long enough") {
		t.Error("the page repeats the password")
	}
}

func TestInvitationLeadsToAPersonWithARole(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	_, owner := p.owned(t)
	p.do(t, owner, "POST", "/v1/invitations", `{"email":"grace@acme.example","role":"owner"}`).Want(t, 403)
	for role, code := range map[string]string{"no such": "unknown_role", `two\nlines`: "unknown_role", `NUL\u0000`: "invalid_character"} { // a role's name is data
		got := resttest.JSON[rest.Problem](t, p.do(t, owner, "POST", "/v1/invitations", `{"email":"grace@acme.example","role":"`+role+`"}`).Want(t, 422))
		if len(got.Errors) != 1 || got.Errors[0].Pointer != "/role" || got.Errors[0].Code != code {
			t.Errorf("%s: %+v, want %s", role, got.Errors, code)
		}
	}
	sent := p.do(t, owner, "POST", "/v1/invitations", `{"email":"grace@acme.example","name":"Grace","role":"member"}`).Want(t, 201)
	p.do(t, owner, "POST", "/v1/invitations", `{"email":"Grace@Acme.example","role":"member"}`).Want(t, 409)
	reconcile := func() error { return tenancy.CarryOnInvitations(t.Context(), p.queue, p.service, p, p.letters) }
	if err := reconcile(); err != nil || len(p.mails) != 1 || !strings.Contains(p.mails[0].Link, "/users/accept?token=") {
		t.Fatalf("mails %+v, %v", p.mails, err)
	}
	_, token, _ := strings.Cut(p.mails[0].Link, "token=")
	blank := map[string]string{"token": token, "name": " ", "password": "long enough"}
	if got := resttest.JSON[rest.Problem](t, p.do(t, "", "POST", "/v1/invitations/acceptance", blank).Want(t, 422)); got.Errors[0].Pointer != "/name" || got.Errors[0].Code != "required" || len(got.Errors) != 1 {
		t.Errorf("no name: %+v", got.Errors)
	}
	p.down = fault.New(fault.Unavailable, "service_unavailable", "") // authz is away: the person is let in later
	u := resttest.JSON[tenancy.User](t, p.do(t, "", "POST", "/v1/invitations/acceptance", map[string]string{"token": token, "password": "long enough"}).Want(t, 201))
	p.do(t, "", "POST", "/v1/invitations/acceptance", map[string]string{"token": token, "password": "long enough"}).Want(t, 409)
	p.down = nil
	later, err := p.queue.DueInvitations(t.Context(), tomorrow())
	if err != nil || len(later) != 1 || p.service.Grant(t.Context(), later[0]) != nil {
		t.Fatalf("left over %+v, %v", later, err)
	}
	if p.roles[u.ID] != "member" || !p.credentials[u.ID].Enabled || p.credentials[u.ID].Organisation != "Acme Ltd" || u.Name != "Grace" {
		t.Errorf("%+v has the role %q and the credential %+v", u, p.roles[u.ID], p.credentials[u.ID])
	}
	got := resttest.JSON[tenancy.Invitation](t, p.do(t, owner, "GET", strings.TrimPrefix(sent.Header.Get("Location"), "/users"), nil).Want(t, 200))
	if got.Status != tenancy.InvitationAccepted {
		t.Errorf("the invitation is %s", got.Status)
	}
}

func TestWhoseRoleIsGoneIsLetInWithoutOne(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	_, owner := p.owned(t)
	p.down = fault.New(fault.Unavailable, "service_unavailable", "") // the grant is left over
	u := p.joined(t, owner)
	p.down, p.roleless = nil, access.ErrNoRole()
	if err := tenancy.CarryOnInvitations(t.Context(), p.queue, p.service, p, p.letters); !fault.Is(err, fault.NotFound) {
		t.Errorf("the failure is %v, want that the role is gone", err)
	}
	if due, err := p.queue.DueInvitations(t.Context(), tomorrow()); err != nil || len(due) != 0 || !p.credentials[u.ID].Enabled {
		t.Errorf("left over %+v, %v: the credential is %+v", due, err, p.credentials[u.ID])
	}
}

// The service dies between the credential and the person: when the link's life
// is over, nothing keeps the address from being invited again.
func TestHalfAnAcceptanceIsForgotten(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	_, owner := p.owned(t)
	i := resttest.JSON[tenancy.Invitation](t, p.do(t, owner, "POST", "/v1/invitations", `{"email":"grace@acme.example","role":"member"}`).Want(t, 201))
	reconcile := func() {
		t.Helper()
		if err := tenancy.CarryOnInvitations(t.Context(), p.queue, p.service, p, p.letters); err != nil {
			t.Fatal(err)
		}
	}
	reconcile()
	p.credentials[i.ID] = tenancy.Credential{User: i.ID}
	reconcile()
	if _, kept := p.credentials[i.ID]; !kept {
		t.Error("the credential went while the link still worked")
	}
	p.db.Exec(t, "update invitations set expires_at = now() - interval '2 minutes', due_at = due_at - interval '8 days'")
	reconcile()
	if _, kept := p.credentials[i.ID]; kept || len(p.mails) != 1 {
		t.Errorf("the credential is kept: %v, after %d mails", kept, len(p.mails))
	}
}

func TestWithdrawnInvitationOpensNothing(t *testing.T) {
	t.Parallel()
	gate := accessfake.Gate{}
	p := newPlatform(t, gate)
	who, owner := p.owned(t)
	_, other := p.owned(t)
	i, accept := p.invited(t, owner)
	at := "/v1/invitations/" + i.ID.String()
	p.do(t, other, "DELETE", at, nil).Want(t, 404)
	who.User, p.ungivable = uuid.New(), access.ErrForbidden() // who may not give the role
	p.do(t, p.issuer.Token(t, who), "DELETE", at, nil).Want(t, 403)
	for range 2 { // whose it is may always take it back
		p.do(t, owner, "DELETE", at, nil).Want(t, 204)
	}
	p.ungivable = nil
	if got := resttest.JSON[tenancy.Invitation](t, p.do(t, owner, "GET", at, nil).Want(t, 200)); got.Status != tenancy.InvitationWithdrawn {
		t.Errorf("the invitation is %s", got.Status)
	}
	if got := accept().Want(t, 404); !strings.Contains(string(got.Body), "link_unknown") {
		t.Errorf("the link is answered %s", got.Body)
	}
	u := p.joined(t, owner) // the address is free
	p.do(t, owner, "DELETE", "/v1/invitations/"+u.ID.String(), nil).Want(t, 409)
	gate[tenancy.UsersInvite] = access.ErrForbidden()
	p.do(t, owner, "DELETE", at, nil).Want(t, 403)
}

func TestAnAddressIsInvitedTenTimesAnHour(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	_, owner := p.owned(t)
	for range tenancy.MaxMails {
		i, _ := p.invited(t, owner)
		p.do(t, owner, "DELETE", "/v1/invitations/"+i.ID.String(), nil).Want(t, 204)
	}
	got := p.do(t, owner, "POST", "/v1/invitations", `{"email":"Grace@Acme.example","role":"member"}`).Want(t, 429)
	if wait, err := strconv.Atoi(got.Header.Get("Retry-After")); err != nil || wait < 3500 || !strings.Contains(string(got.Body), "#too_many_invitations") {
		t.Errorf("one too many: %s, again after %q", got.Body, got.Header.Get("Retry-After"))
	}
}

// Between the invitation and its acceptance, whoever invited loses the right.
func TestInvitationOutlivesNoRightOfItsInviter(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	who, owner := p.owned(t)
	_, accept := p.invited(t, owner)
	for _, p.ungivable = range []error{access.ErrForbidden(), access.ErrNoRole()} {
		if got := accept().Want(t, 409); !strings.Contains(string(got.Body), "invitation_void") {
			t.Errorf("after %v the link is answered %s", p.ungivable, got.Body)
		}
	}
	p.ungivable = nil
	given := p.member
	p.member = uuid.New()
	if got := accept().Want(t, 409); !strings.Contains(string(got.Body), "invitation_void") {
		t.Errorf("with another role of the name the link is answered %s", got.Body)
	}
	p.member = given
	for _, step := range []struct {
		status string
		want   int
	}{{tenancy.UserDisabled, 409}, {tenancy.UserActive, 201}} {
		if _, err := p.service.Store.SetUserStatus(t.Context(), who, who.User, step.status); err != nil {
			t.Fatal(err)
		}
		accept().Want(t, step.want)
	}
}

// Who never came is forgotten, a month after the link's life; a tenant, and what
// is still to be done, is not.
func TestWhoNeverCameIsForgotten(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	who, owner := p.owned(t)
	i, accept := p.invited(t, owner)
	r := p.register(t)
	if _, err := p.service.Store.Expire(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	purge := func(registration, invitation int) {
		t.Helper()
		if err := p.queue.(usersdb.Queue).Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.do(t, "", "GET", registrationsPath+"/"+r.ID.String(), nil).Want(t, registration)
		p.do(t, owner, "GET", "/v1/invitations/"+i.ID.String(), nil).Want(t, invitation)
		p.do(t, "", "GET", registrationsPath+"/"+who.Tenant.String(), nil).Want(t, 200)
	}
	purge(200, 200)
	p.db.Exec(t, "update invitations set expires_at = now() - interval '31 days', due_at = now()")
	p.db.Exec(t, "update registrations set expires_at = now() - interval '31 days'")
	purge(404, 200)
	if err := tenancy.CarryOnInvitations(t.Context(), p.queue, p.service, p, p.letters); err != nil {
		t.Fatal(err)
	}
	purge(404, 404)
	for _, got := range []resttest.Response{accept(), p.do(t, "", "POST", registrationsPath+"/verification",
		map[string]string{"token": p.letters.Links.Token(tenancy.Link{Tenant: r.ID}), "password": "long enough"})} {
		if !strings.Contains(string(got.Want(t, 404).Body), "link_unknown") {
			t.Errorf("a link to what is forgotten is answered %s", got.Body)
		}
	}
}

func TestRefusedAddressIsNotMailedAgain(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	_, owner := p.owned(t)
	for kind, left := range map[fault.Kind]int{fault.Invalid: 0, fault.Unavailable: 1} {
		p.do(t, owner, "POST", "/v1/invitations", `{"email":"`+uuid.NewString()+`@acme.example","role":"member"}`).Want(t, 201)
		p.unmailed = fault.New(kind, "email_refused", "")
		if err := tenancy.CarryOnInvitations(t.Context(), p.queue, p.service, p, p.letters); !fault.Is(err, kind) {
			t.Errorf("the failure is %v", err)
		}
		p.unmailed = nil
		if due, err := p.queue.DueInvitations(t.Context(), tomorrow()); err != nil || len(due) != left {
			t.Errorf("after a failure that is %s: left over %+v, %v", kind, due, err)
		}
	}
}

func TestPeopleSeeTheirOwnTenantAlone(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	who, owner := p.owned(t)
	_, other := p.owned(t)
	p.do(t, owner, "GET", "/v1/users/"+who.User.String(), nil).Want(t, 200)
	p.do(t, other, "GET", "/v1/users/"+who.User.String(), nil).Want(t, 404)
	if me := resttest.JSON[tenancy.User](t, p.do(t, owner, "GET", "/v1/me", nil).Want(t, 200)); me.ID != who.User {
		t.Errorf("me is %+v", me)
	}
	if mine := resttest.JSON[tenancy.Tenant](t, p.do(t, owner, "GET", "/v1/tenant", nil).Want(t, 200)); mine.ID != who.Tenant || mine.Status != "active" {
		t.Errorf("the tenant is %+v", mine)
	}
	machine := p.issuer.Token(t, identity.Caller{Tenant: who.Tenant, Client: "c", Scopes: []string{"users"}})
	p.do(t, machine, "GET", "/v1/me", nil).Want(t, 404)
	p.do(t, owner, "POST", "/v1/tenant", `{}`).Want(t, 405)
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

func TestPeopleAreDisabledByThoseWhoMay(t *testing.T) {
	t.Parallel()
	gate := accessfake.Gate{}
	p := newPlatform(t, gate)
	who, owner := p.owned(t)
	u := p.joined(t, owner)
	disable, enable := "/v1/users/"+u.ID.String()+"/disable", "/v1/users/"+u.ID.String()+"/enable"
	for range 2 {
		got := resttest.JSON[tenancy.User](t, p.do(t, owner, "POST", disable, nil).Want(t, 200))
		if got.Status != tenancy.UserDisabled || p.credentials[u.ID].Enabled {
			t.Errorf("the person is %+v, with the credential %+v", got, p.credentials[u.ID])
		}
	}
	if got := resttest.JSON[tenancy.User](t, p.do(t, owner, "POST", enable, nil).Want(t, 200)); got.Status != tenancy.UserActive || !p.credentials[u.ID].Enabled {
		t.Errorf("the person is %+v, with the credential %+v", got, p.credentials[u.ID])
	}
	p.do(t, owner, "POST", disable, nil, "Idempotency-Key", "once").Want(t, 200)
	p.do(t, owner, "POST", enable, nil).Want(t, 200)
	p.do(t, owner, "POST", disable, nil, "Idempotency-Key", "once").Want(t, 200)
	if !p.credentials[u.ID].Enabled {
		t.Error("a repetition disabled a person who was let in since")
	}
	p.do(t, owner, "POST", "/v1/users/"+who.User.String()+"/disable", nil).Want(t, 409)
	p.do(t, owner, "POST", "/v1/users/"+uuid.NewString()+"/disable", nil).Want(t, 404)
	p.do(t, owner, "POST", enable, nil).Want(t, 200)
	p.roles[u.ID] = "owner"
	for name, token := range map[string]string{"an owner": owner, "a client": p.issuer.Token(t, identity.Caller{Tenant: who.Tenant, Client: "c", Scopes: []string{"users"}})} {
		if got := p.do(t, token, "POST", disable, nil).Want(t, 409); !strings.Contains(string(got.Body), "shapes_tenant") || !p.credentials[u.ID].Enabled {
			t.Errorf("%s disables an owner: %s, and the credential is %+v", name, got.Body, p.credentials[u.ID])
		}
	}
	p.roles[u.ID], p.promoted = "member", true
	if got := p.do(t, owner, "POST", disable, nil).Want(t, 409); !strings.Contains(string(got.Body), "shapes_tenant") || !p.credentials[u.ID].Enabled {
		t.Errorf("who is made an owner meanwhile: %s, and the credential is %+v", got.Body, p.credentials[u.ID])
	}
	p.promoted = false
	gate[tenancy.TenantWrite] = access.ErrForbidden()
	if got := p.do(t, owner, "POST", disable, nil).Want(t, 403); !strings.Contains(string(got.Body), string(tenancy.TenantWrite)) {
		t.Errorf("%s does not name what makes them stronger than the caller", got.Body)
	}
	p.roles[u.ID] = "member"
	p.down = fault.New(fault.Unavailable, "service_unavailable", "")
	p.do(t, owner, "POST", disable, nil).Want(t, 503)
	p.down = nil
	gate[tenancy.UsersWrite] = access.ErrForbidden()
	p.do(t, owner, "POST", disable, nil).Want(t, 403)
}

func TestWhoIsDisabledIsNotLetIn(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	who, owner := p.owned(t)
	p.down = fault.New(fault.Unavailable, "service_unavailable", "") // the grant is left over
	u := p.joined(t, owner)
	p.down = nil
	p.do(t, owner, "POST", "/v1/users/"+u.ID.String()+"/disable", nil).Want(t, 200)
	left, err := p.queue.DueInvitations(t.Context(), tomorrow())
	if err != nil || len(left) != 1 || p.service.Grant(t.Context(), left[0]) != nil || p.credentials[u.ID].Enabled {
		t.Errorf("left over %+v, %v: the credential is %+v", left, err, p.credentials[u.ID])
	}
	p.opened = func() { // while the credential is being opened, another administrator closes it
		p.opened = nil
		p.do(t, p.issuer.Token(t, who), "POST", "/v1/users/"+u.ID.String()+"/disable", nil).Want(t, 200)
	}
	p.do(t, owner, "POST", "/v1/users/"+u.ID.String()+"/enable", nil).Want(t, 200)
	if got, err := p.service.Store.User(t.Context(), who, u.ID); err != nil || got.Status != tenancy.UserDisabled || p.credentials[u.ID].Enabled {
		t.Errorf("the person is %+v, %v, with the credential %+v", got, err, p.credentials[u.ID])
	}
}

func TestOperatorsSuspendATenant(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, accessfake.Gate{})
	who, owner := p.owned(t)
	operator := p.issuer.Token(t, identity.Caller{Tenant: who.Tenant, Client: "svc-users", Scopes: []string{"platform"}})
	p.do(t, owner, "POST", "/v1/platform/tenant/suspend", nil).Want(t, 403)
	half := identity.Caller{Tenant: uuid.New(), Client: "svc-users", Scopes: []string{"platform"}}
	for _, want := range []int{404, 409} {
		if p.do(t, p.issuer.Token(t, half), "POST", "/v1/platform/tenant/suspend", nil).Want(t, want); p.suspended {
			t.Errorf("a tenant that is refused with %d is suspended in auth", want)
		}
		if err := p.service.Store.AddTenant(t.Context(), tenancy.Tenant{ID: half.Tenant, Slug: "half", Name: "Half", Status: tenancy.TenantProvisioning, CreatedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	for status, path := range map[string]string{tenancy.TenantSuspended: "suspend", tenancy.TenantActive: "resume"} {
		p.do(t, operator, "POST", "/v1/platform/tenant/"+path, nil).Want(t, 204)
		if got := resttest.JSON[tenancy.Tenant](t, p.do(t, owner, "GET", "/v1/tenant", nil).Want(t, 200)); got.Status != status || p.suspended != (path == "suspend") {
			t.Errorf("after %s the tenant is %s, in auth suspended: %v", path, got.Status, p.suspended)
		}
	}
}

// invited is an invitation, and what accepts it.
func (p *platform) invited(t *testing.T, owner string) (tenancy.Invitation, func() resttest.Response) {
	t.Helper()
	i := resttest.JSON[tenancy.Invitation](t, p.do(t, owner, "POST", "/v1/invitations", `{"email":"grace@acme.example","name":"Grace","role":"member"}`).Want(t, 201))
	if err := tenancy.CarryOnInvitations(t.Context(), p.queue, p.service, p, p.letters); err != nil {
		t.Fatal(err)
	}
	_, token, _ := strings.Cut(p.mails[len(p.mails)-1].Link, "token=")
	return i, func() resttest.Response {
		return p.do(t, "", "POST", "/v1/invitations/acceptance", map[string]string{"token": token, "password": "long enough"})
	}
}

// joined is a person who accepted an invitation.
func (p *platform) joined(t *testing.T, owner string) tenancy.User {
	t.Helper()
	_, accept := p.invited(t, owner)
	return resttest.JSON[tenancy.User](t, accept().Want(t, 201))
}
