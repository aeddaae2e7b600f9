package onboarding

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/domain/tenancy/fake"
)

// world is a registration, and all that onboarding makes of it, in memory.
type world struct {
	tenancy.Roles       // what onboarding does not use
	tenancy.Credentials // nor this
	store               *fake.Store
	acts                *Activities
	in                  Input
	owner               identity.UserID
	client              uuid.UUID

	mu     sync.Mutex
	things map[string]bool // that other services keep
	mails  []string        // the subjects of those sent
	refuse error           // what PutClient answers
	unsent string          // the subject of the mail that is refused
	pause  chan struct{}   // closed: Seed goes on

	seeding sync.WaitGroup
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{store: &fake.Store{}, in: Input{uuid.New()}, owner: uuid.New(), client: uuid.New(), things: map[string]bool{}, pause: make(chan struct{})}
	w.acts = &Activities{Store: w.store, Roles: w, Credentials: w, Clients: w, Mailer: w,
		Letters: tenancy.Letters{Links: tenancy.Links{Key: make([]byte, 32)}, PublicURL: "http://localhost"}}
	_, err := w.store.Register(t.Context(), identity.Caller{Tenant: w.in.TenantID}, tenancy.Registration{
		ID: w.in.TenantID, TenantID: w.in.TenantID, Slug: "acme", Status: tenancy.StatusPending, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
		Organisation: "Acme", OwnerName: "Ada", Email: "ada@acme.example", OwnerID: w.owner, FirstClient: w.client,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// verify is what the owner does.
func (w *world) verify(t *testing.T) {
	t.Helper()
	_ = w.put("password " + w.owner.String())
	if _, err := w.store.Verify(t.Context(), identity.Caller{Tenant: w.in.TenantID}, 0, time.Now()); err != nil {
		t.Error(err)
	}
}

func (w *world) registration(t *testing.T) tenancy.Registration {
	t.Helper()
	r, err := w.store.Registration(t.Context(), w.in.TenantID)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// isWhole fails the test unless there is one tenant with one owner and one client.
func (w *world) isWhole(t *testing.T) {
	t.Helper()
	who := identity.Caller{Tenant: w.in.TenantID}
	tenant, err := w.store.Tenant(t.Context(), who)
	if r := w.registration(t); err != nil || tenant.Status != tenancy.TenantActive || r.Status != tenancy.StatusActive {
		t.Errorf("tenant %+v, %v, of %+v", tenant, err, r)
	}
	users, err := w.store.Users(t.Context(), who, page.Request{Limit: 10})
	if err != nil || len(users.Items) != 1 || users.Items[0].ID != w.owner {
		t.Errorf("users %+v, %v, want the owner", users.Items, err)
	}
	w.keeps(t, "client "+w.client.String(), "login "+w.owner.String(), "owner "+w.owner.String(), "password "+w.owner.String(), "policy")
}

// isGone fails the test unless the registration has ended as want, and nothing is left.
func (w *world) isGone(t *testing.T, want tenancy.Status) {
	t.Helper()
	if r := w.registration(t); r.Status != want {
		t.Errorf("registration %+v, want %s", r, want)
	}
	if tenant, err := w.store.Tenant(t.Context(), identity.Caller{Tenant: w.in.TenantID}); !fault.Is(err, fault.NotFound) {
		t.Errorf("tenant %+v, %v, want none", tenant, err)
	}
	w.keeps(t)
}

// shows fails the test unless people see these steps.
func (w *world) shows(t *testing.T, want string) {
	t.Helper()
	var steps []string
	for _, s := range w.registration(t).Shown().Steps {
		steps = append(steps, string(s.Name)+" "+string(s.State))
	}
	if got := strings.Join(steps, ", "); got != want {
		t.Errorf("steps are %s, want %s", got, want)
	}
}

// mailed fails the test unless mails with these subjects were sent.
func (w *world) mailed(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.mails, want) {
		t.Errorf("mails %q, want %q", w.mails, want)
	}
}

func (w *world) keeps(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := slices.Sorted(maps.Keys(w.things)); !slices.Equal(got, want) {
		t.Errorf("other services keep %v, want %v", got, want)
	}
}

func (w *world) put(thing string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.things[thing] = true
	return nil
}

func (w *world) remove(things ...string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, thing := range things {
		delete(w.things, thing)
	}
	return nil
}

// Seed implements tenancy.Roles.
func (w *world) Seed(context.Context, identity.TenantID) error {
	w.seeding.Add(1)
	defer w.seeding.Done()
	<-w.pause
	return w.put("policy")
}

// Unseed implements tenancy.Roles.
func (w *world) Unseed(context.Context, identity.TenantID) error {
	return w.remove("policy", "owner "+w.owner.String())
}

// PutAssignment implements tenancy.Roles.
func (w *world) PutAssignment(_ context.Context, _ identity.TenantID, user identity.UserID, role string) error {
	return w.put(role + " " + user.String())
}

// EnableCredential implements tenancy.Credentials.
func (w *world) EnableCredential(_ context.Context, _ identity.TenantID, user identity.UserID) error {
	return w.put("login " + user.String())
}

// DeleteCredential implements tenancy.Credentials.
func (w *world) DeleteCredential(_ context.Context, _ identity.TenantID, user identity.UserID) error {
	return w.remove("login "+user.String(), "password "+user.String())
}

// PutClient implements tenancy.Clients.
func (w *world) PutClient(_ context.Context, _ identity.TenantID, c tenancy.Client) error {
	if w.refuse != nil {
		return w.refuse
	}
	return w.put("client " + c.ID.String())
}

// DeleteClient implements tenancy.Clients.
func (w *world) DeleteClient(_ context.Context, _ identity.TenantID, id uuid.UUID) error {
	return w.remove("client " + id.String())
}

// Send implements tenancy.Mailer.
func (w *world) Send(_ context.Context, m tenancy.Mail) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m.Subject == w.unsent {
		return fault.New(fault.Invalid, "email_refused", "no")
	}
	w.mails = append(w.mails, m.Subject)
	return nil
}
