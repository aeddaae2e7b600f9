package authdb_test

import (
	"encoding/json"
	"sync"
	"sync/atomic"
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
	db := pgtest.New(t, "auth", authdb.Migrations)
	w := world{Store: authdb.New(db.App, db.System), tenant: uuid.New(), user: uuid.New()}
	var err error
	w.client, err = login.ClientDraft{Name: "c", Type: "confidential", RedirectURIs: []string{"https://a.example/cb"}}.Client(uuid.NewString(), time.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddClient(t.Context(), identity.Caller{Tenant: w.tenant}, w.client); err != nil {
		t.Fatal(err)
	}
	if err := w.PutCredential(t.Context(), w.tenant, login.Credential{User: w.user, Email: "a@b.example", Name: "A", Hash: "x", Enabled: true}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w world) family(t *testing.T) (uuid.UUID, []byte) {
	t.Helper()
	c := authdb.Code{Hash: []byte(uuid.NewString()), ClientID: w.client.ID, UserID: w.user, FamilyID: uuid.New(), Request: json.RawMessage(`{}`), ExpiresAt: time.Now().Add(time.Minute)}
	if err := w.AddCode(t.Context(), w.tenant, c); err != nil {
		t.Fatal(err)
	}
	if err := w.UseCode(t.Context(), w.tenant, c.Hash, []string{"tasks"}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := w.UseCode(t.Context(), w.tenant, c.Hash, []string{"tasks"}, time.Now().Add(time.Hour)); !fault.Is(err, fault.NotFound) {
		t.Errorf("a code used twice: %v", err)
	}
	hash := []byte(uuid.NewString())
	if err := w.AddRefresh(t.Context(), w.tenant, hash, c.FamilyID, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	return c.FamilyID, hash
}

func TestOneOfManyRotationsWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, hash := w.family(t)
	var won atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if ok, err := w.Rotate(t.Context(), w.tenant, hash, []byte("successor"), time.Now().Add(time.Hour)); err != nil {
				t.Error(err)
			} else if ok {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d rotations of one token, want 1", won.Load())
	}
}

func TestFamilyEndsWithRevocationClientOrPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, hash := w.family(t)
	if f, err := w.Refresh(t.Context(), w.tenant, hash); err != nil || !f.Living || f.ID != id || f.UsedAt != nil {
		t.Fatalf("a fresh token: %+v, %v", f, err)
	}
	if err := w.RevokeFamily(t.Context(), w.tenant, id); err != nil {
		t.Fatal(err)
	}
	if ok, err := w.Rotate(t.Context(), w.tenant, hash, []byte("s"), time.Now().Add(time.Hour)); ok || err != nil {
		t.Errorf("a revoked family rotates: %v, %v", ok, err)
	}
	if f, _ := w.Refresh(t.Context(), w.tenant, hash); f.Living {
		t.Error("a revoked family lives")
	}
	_, hash = w.family(t)
	if err := w.DropCredential(t.Context(), w.tenant, w.user); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Refresh(t.Context(), w.tenant, hash); !fault.Is(err, fault.NotFound) {
		t.Errorf("the token of a person who is gone: %v", err)
	}
}

func TestFailuresBlockAndAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := []byte("account and network")
	for range 8 {
		if err := w.Failed(t.Context(), w.tenant, key); err != nil {
			t.Fatal(err)
		}
	}
	if _, until, err := w.Attempt(t.Context(), w.tenant, "a@b.example", key); err != nil || !until.After(time.Now()) {
		t.Errorf("after eight failures blocked until %v, %v", until, err)
	}
	if c, until, err := w.Attempt(t.Context(), w.tenant, "a@b.example", []byte("elsewhere")); err != nil || !until.IsZero() || c.User != w.user {
		t.Errorf("from elsewhere: %+v until %v, %v", c, until, err)
	}
	if err := w.LoggedIn(t.Context(), w.tenant, []byte("session"), authdb.Session{UserID: w.user, AuthenticatedAt: time.Now()}, time.Now().Add(time.Hour), key); err != nil {
		t.Fatal(err)
	}
	if _, until, _ := w.Attempt(t.Context(), w.tenant, "a@b.example", key); !until.IsZero() {
		t.Error("a login does not end the block")
	}
	if s, err := w.Session(t.Context(), w.tenant, []byte("session")); err != nil || s.UserID != w.user {
		t.Errorf("session %+v, %v", s, err)
	}
}

func TestExpiredRowsAreDroppedAndOthersStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, hash := w.family(t)
	gone := authdb.Session{UserID: w.user, AuthenticatedAt: time.Now()}
	if err := w.LoggedIn(t.Context(), w.tenant, []byte("old"), gone, time.Now().Add(-time.Second), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Refresh(t.Context(), w.tenant, hash); err != nil {
		t.Errorf("a living token was dropped: %v", err)
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
