package authdb_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// halves are states that no fault may leave.
var halves = map[string]string{
	"a used code without its family":        `select count(*) from authorization_codes c where used_at is not null and not exists (select from token_families f where f.id = c.family_id)`,
	"a family of a code that is not used":   `select count(*) from token_families f where exists (select from authorization_codes c where c.family_id = f.id and used_at is null)`,
	"a family without a refresh token":      `select count(*) from token_families f where not exists (select from refresh_tokens r where r.family_id = f.id)`,
	"a used refresh token without another":  `select count(*) from (select family_id from refresh_tokens group by 1 having count(*) - count(used_at) <> 1) as x`,
	"a code beside its pushed request":      `select count(*) from authorization_codes c join pushed_requests p on p.hash = c.hash`,
	"neither a code nor its pushed request": `select 1 - count(*) from (select from pushed_requests union all select from authorization_codes where request::text = '{"pushed":1}') as x`,
	"a family ended that services know not": `select count(*) from token_families f where revoked_at is not null and not exists (select from revocations r where r.subject = 'family:' || f.id)`,
	"a family ended that no entry tells of": `select count(*) from token_families where revoked_at is not null and not exists (select from audit_events)`,
	"a changed client without a receipt":    `select count(*) from clients where version > 1 and not exists (select from idempotency_receipts)`,
	"a consent withdrawn by half": `select count(*) from audit_events g join clients c using (tenant_id) where g.event->>'action' = 'consent.given' and
		(exists (select from consents))::int + (exists (select from token_families where revoked_at is null))::int
		+ (not exists (select from audit_events w where w.tenant_id = g.tenant_id and w.event->>'action' = 'consent.withdrawn'))::int not in (0, 3)`,
	"a rotation without a next key": `select count(*) from (select count(*) as n from signing_keys where active_from is null) as x where n <> 1`,
}

// A fault between any two messages of an operation leaves all of it or nothing.
func TestFaultsLeaveNoHalfState(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, world) func(context.Context, world) error{
		"exchange": func(t *testing.T, w world) func(context.Context, world) error {
			c := w.code(t, `{}`)
			return func(ctx context.Context, w world) error {
				_, err := w.Exchange(ctx, w.tenant, w.exchange(c.Hash))
				return err
			}
		},
		"refresh": func(t *testing.T, w world) func(context.Context, world) error {
			_, token := w.family(t)
			return func(ctx context.Context, w world) error { return w.rotate(ctx, token, time.Hour) }
		},
		"replay": func(t *testing.T, w world) func(context.Context, world) error {
			_, token := w.family(t)
			if err := w.rotate(t.Context(), token, time.Hour); err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context, w world) error { return w.rotate(ctx, token, 0) }
		},
		"revocation": func(t *testing.T, w world) func(context.Context, world) error {
			id, _ := w.family(t)
			return func(ctx context.Context, w world) error {
				return w.RevokeFamily(ctx, w.tenant, id, login.Event{Action: login.TokenRevoked})
			}
		},
		"withdrawal of a consent": func(t *testing.T, w world) func(context.Context, world) error {
			w.family(t)
			if err := w.Consent(t.Context(), w.tenant, w.user, w.client.ID, []string{"tasks"}, login.Event{At: time.Now(), Action: login.ConsentGiven}); err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context, w world) error {
				return w.Withdraw(ctx, identity.Caller{Tenant: w.tenant, User: w.user}, w.client.ID, login.Event{At: time.Now(), Action: login.ConsentWithdrawn})
			}
		},
		"answer to a pushed request": func(t *testing.T, w world) func(context.Context, world) error {
			p := login.PushedRequest{Hash: []byte(uuid.NewString()), ClientID: w.client.ID, Request: json.RawMessage(`{}`), ExpiresAt: time.Now().Add(time.Minute)}
			if err := w.AddRequest(t.Context(), w.tenant, p); err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context, w world) error {
				c := w.newCode(`{"pushed":1}`)
				c.Hash, c.Pushed = p.Hash, p.Hash
				return w.AddCode(ctx, w.tenant, c)
			}
		},
		"change of a client": func(_ *testing.T, w world) func(context.Context, world) error {
			return func(ctx context.Context, w world) error {
				c := w.client
				c.Name, c.Version = "Changed", c.Version+1
				_, err := w.ChangeClient(ctx, identity.Caller{Tenant: w.tenant, Client: "c", Request: identity.Request{Once: &identity.Once{Key: "k", Fingerprint: "f"}}}, c, c)
				return err
			}
		},
		"rotation of keys": func(t *testing.T, w world) func(context.Context, world) error {
			now := time.Now()
			next := authdb.SealedKey{KID: "next", Sealed: []byte("x"), CreatedAt: now}
			if err := w.ChangeKeys(t.Context(), func([]authdb.SealedKey) ([]authdb.SealedKey, []string, error) {
				return []authdb.SealedKey{next}, nil, nil
			}); err != nil {
				t.Fatal(err)
			}
			return func(ctx context.Context, w world) error {
				return w.ChangeKeys(ctx, func(keys []authdb.SealedKey) ([]authdb.SealedKey, []string, error) {
					keys[0].ActiveFrom = &now
					return []authdb.SealedKey{keys[0], {KID: "after", Sealed: []byte("x"), CreatedAt: now}}, nil, nil
				})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, broken := pgtest.New(t, "auth", authdb.Migrations), 0
			for breakAfter(t, db, broken, prepare) {
				broken++
			}
			if broken < 3 {
				t.Errorf("it broke off at %d places only", broken)
			}
		})
	}
}

// breakAfter runs the operation on an empty database, breaks off after n
// messages, looks for halves, and reports whether there was anything to break.
func breakAfter(t *testing.T, db pgtest.Database, n int, prepare func(*testing.T, world) func(context.Context, world) error) bool {
	t.Helper()
	db.Exec(t, "truncate clients, credentials, signing_keys, revocations, idempotency_receipts cascade")
	w := newWorldOn(t, db)
	do := prepare(t, w)
	var app, system pgtest.Broken
	far := w
	far.Store = authdb.New(open(t, app.URL(t, db.AppURL)), open(t, system.URL(t, db.SystemURL)))
	app.After(n)
	system.After(n)
	err := do(t.Context(), far)
	broke := app.Broke() || system.Broke()
	if broke && err == nil {
		t.Errorf("after %d messages: broken off, and no error", n)
	}
	conn, err := pgx.Connect(t.Context(), db.AdminURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for what, query := range halves {
		var found int
		if err := conn.QueryRow(t.Context(), query).Scan(&found); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if found > 0 && relevant(t, conn, what) {
			t.Errorf("after %d messages: %s", n, what)
		}
	}
	return broke
}

// relevant leaves out what there is none of in the case at hand.
func relevant(t *testing.T, conn *pgx.Conn, what string) bool {
	t.Helper()
	table := map[string]string{"a rotation without a next key": "signing_keys", "neither a code nor its pushed request": "(select from pushed_requests union all select from authorization_codes where request::text = '{\"pushed\":1}')"}[what]
	if table == "" {
		return true
	}
	var n int
	if err := conn.QueryRow(t.Context(), "select count(*) from "+table+" as x").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n > 0
}

func open(t *testing.T, at string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func (w world) newCode(request string) login.Code {
	return login.Code{Hash: []byte(uuid.NewString()), ClientID: w.client.ID, UserID: w.user, FamilyID: uuid.Must(uuid.NewV7()), Request: json.RawMessage(request), ExpiresAt: time.Now().Add(time.Minute)}
}

func (w world) code(t *testing.T, request string) login.Code {
	t.Helper()
	c := w.newCode(request)
	if err := w.AddCode(t.Context(), w.tenant, c); err != nil {
		t.Fatal(err)
	}
	return c
}

func (w world) exchange(code []byte) login.Exchange {
	hour := time.Now().Add(time.Hour)
	return login.Exchange{Code: code, ClientID: w.client.ID, Scopes: []string{"tasks"}, Refresh: []byte(uuid.NewString()), RefreshExpires: hour, FamilyExpires: hour}
}

func (w world) family(t *testing.T) (uuid.UUID, []byte) {
	t.Helper()
	c := w.code(t, `{}`)
	e := w.exchange(c.Hash)
	if done, err := w.Exchange(t.Context(), w.tenant, e); err != nil || !done {
		t.Fatalf("exchange: %v, %v", done, err)
	}
	return c.FamilyID, e.Refresh
}

func (w world) rotate(ctx context.Context, token []byte, grace time.Duration) error {
	_, _, err := w.Refresh(ctx, w.tenant, login.Rotation{Hash: token, Successor: append([]byte("after "), token...), ClientID: w.client.ID, Expires: time.Now().Add(time.Hour), Grace: grace})
	return err
}
