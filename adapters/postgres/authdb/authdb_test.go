package authdb_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/postgres/catalogue"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/login/conformance"
	"bailiwick.dev/domain/page"
)

func TestSchemaKeepsTenantsApart(t *testing.T) {
	t.Parallel()
	catalogue.Check(t, pgtest.New(t, "auth", authdb.Migrations), "signing_keys")
}

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "auth", authdb.Migrations)
	conformance.Run(t, authdb.New(db.App, db.System))
}

// world is a tenant with one person and one client.
type world struct {
	*authdb.Store
	tenant, user uuid.UUID
	client       login.Client
}

func newWorld(t *testing.T) world {
	t.Helper()
	return newWorldOn(t, pgtest.New(t, "auth", authdb.Migrations))
}

func newWorldOn(t *testing.T, db pgtest.Database) world {
	t.Helper()
	w := world{Store: authdb.New(db.App, db.System), tenant: uuid.New(), user: uuid.New()}
	var err error
	w.client, err = login.ClientDraft{Name: "c", Type: "confidential", RedirectURIs: []string{"https://a.example/cb"}}.Client(uuid.NewString(), time.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddClient(t.Context(), identity.Caller{Tenant: w.tenant}, w.client); err != nil {
		t.Fatal(err)
	}
	if err := w.PutCredential(t.Context(), w.tenant, login.Credential{User: w.user, Email: "a@b.example", Name: "A", Hash: "x", Enabled: true}, login.Event{}); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestFailuresBlockAndAreForgotten(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "auth", authdb.Migrations)
	w := newWorldOn(t, db)
	key, other := []byte("account and network"), []byte("network")
	for range 8 {
		err := w.Failed(t.Context(), w.tenant, login.Event{Action: login.LoginFailed}, login.Failure{Key: key, Free: 5, Longest: time.Hour}, login.Failure{Key: other, Free: 50, Longest: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, until, err := w.Attempt(t.Context(), w.tenant, "a@b.example", other, key); err != nil || !until.After(time.Now()) {
		t.Errorf("after eight failures blocked until %v, %v", until, err)
	}
	if c, until, err := w.Attempt(t.Context(), w.tenant, "a@b.example", []byte("elsewhere"), other); err != nil || !until.IsZero() || c.User != w.user {
		t.Errorf("from elsewhere: %+v until %v, %v", c, until, err)
	}
	at := login.Session{ID: uuid.New(), UserID: w.user, AuthenticatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
	db.Exec(t, "update login_failures set blocked_until = now()") // later
	if err := w.LoggedIn(t.Context(), w.tenant, []byte("session"), at, "x", [][]byte{key, other}, login.Event{}); err != nil {
		t.Fatal(err)
	}
	var left int
	if db.Scan(t, &left, "select count(*) from login_failures"); left != 1 {
		t.Errorf("failures of %d keys are kept after a login, want the network's", left)
	}
	if got, err := w.Audit(t.Context(), identity.Caller{Tenant: w.tenant}, page.Request{Limit: 100}); err != nil || len(got.Items) != 11 {
		t.Errorf("the trail has %d entries, want a client, a credential, eight failures and a login, %v", len(got.Items), err)
	}
}

// A login that began while the new password was hashed ends too, in every service.
func TestNewPasswordEndsWhatBeganBeforeItIsSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked, begun := time.Now().Add(-time.Minute), time.Now().Truncate(time.Microsecond)
	if err := w.SetPassword(t.Context(), w.tenant, w.user, "x", "y", uuid.Nil, login.Event{At: asked}); err != nil {
		t.Fatal(err)
	}
	got, err := w.Revocations(t.Context(), 0)
	if err != nil || len(got.Items) != 1 || got.Items[0].At.Before(begun) {
		t.Errorf("what began until %+v has ended, %v; want until %s", got.Items, err, begun)
	}
}

func TestClientIsFoundByItsIDAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if c, err := w.FindClient(t.Context(), w.client.ID); err != nil || c.Tenant != w.tenant {
		t.Errorf("found %+v, %v", c, err)
	}
	if _, err := w.Client(t.Context(), identity.Caller{Tenant: uuid.New()}, w.client.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another tenant's client: %v", err)
	}
}
