package authdb_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres/authdb"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

func TestChainHasNoGapUnderParallelWrites(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "auth", authdb.Migrations)
	s, tenants := authdb.New(db.App, db.System), []uuid.UUID{uuid.New(), uuid.New()}
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if err := s.Record(t.Context(), tenants[i%2], login.EventOf(identity.Caller{Client: "ü\"'\\"}, login.LoginFailed, "")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	heads := map[uuid.UUID]authdb.Head{}
	if err := s.VerifyAudit(t.Context(), func(h authdb.Head) { heads[h.TenantID] = h }); err != nil || len(heads) != 2 {
		t.Fatalf("%d chains hold, %v", len(heads), err)
	}
	for _, tenant := range tenants {
		var last []byte
		db.Scan(t, &last, "select hash from audit_events where tenant_id = $1 and sequence = 50", tenant)
		if h := heads[tenant]; h.Sequence != 50 || !bytes.Equal(h.Hash, last) {
			t.Errorf("a chain of 50 entries ends at %+v", h)
		}
	}
	next, seen := page.Request{Limit: 7}, int64(0)
	for {
		got, err := s.Audit(t.Context(), identity.Caller{Tenant: tenants[0]}, next)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range got.Items {
			if seen++; e.Sequence != seen || e.Action != login.LoginFailed || e.Actor != "client:ü\"'\\" {
				t.Fatalf("entry %d is %+v", seen, e)
			}
		}
		if got.Next == nil {
			break
		}
		next.After = *got.Next
	}
	if seen != 50 {
		t.Errorf("%d entries were listed, want 50", seen)
	}
}

func TestBrokenLinkIsNamed(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]string{
		"changed":  `update audit_events set event = (replace(event::text, 'login', 'Login'))::json where sequence = 3`,
		"taken":    `delete from audit_events where sequence = 3`,
		"cut":      `delete from audit_events where sequence >= 3`,
		"swapped":  `update audit_events a set event = b.event, hash = b.hash from audit_events b where a.sequence + b.sequence = 7 and a.sequence in (3, 4)`,
		"put in":   `with moved as (update audit_events set sequence = sequence + 100 where sequence >= 3 returning *) insert into audit_events select tenant_id, 3, event, hash from moved where sequence = 104`,
		"rehashed": `update audit_events set hash = sha256('x') where sequence = 3`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t, "auth", authdb.Migrations)
			s, tenant := authdb.New(db.App, db.System), uuid.New()
			for range 5 {
				if err := s.Record(t.Context(), tenant, login.Event{Action: login.LoginSucceeded}); err != nil {
					t.Fatal(err)
				}
			}
			db.Exec(t, change)
			err := s.VerifyAudit(t.Context(), func(authdb.Head) {})
			var broken *authdb.BrokenChain
			if !errors.As(err, &broken) || broken.Sequence != 3 || broken.Tenant != tenant {
				t.Errorf("%v, want the third entry of %s", err, tenant)
			}
		})
	}
}

func TestServiceCanOnlyAddToTheTrail(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "auth", authdb.Migrations)
	for _, sql := range []string{`update audit_events set hash = 'x'`, `delete from audit_events`, `truncate audit_events`} {
		err := db.App.Tenant(t.Context(), uuid.New(), func(b *pgx.Batch) { b.Queue(sql) })
		if err == nil {
			t.Errorf("%s is allowed", sql)
		}
	}
}

// Whoever has the service's role, and may write the ends, takes none back.
func TestHeadsOnlyGoForward(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "auth", authdb.Migrations)
	s, tenant := authdb.New(db.App, db.System), uuid.New()
	for range 3 {
		for _, of := range []uuid.UUID{tenant, identity.Platform} {
			if err := s.Record(t.Context(), of, login.Event{Action: login.LoginSucceeded}); err != nil {
				t.Fatal(err)
			}
		}
	}
	db.Exec(t, `grant delete on audit_heads to auth_app`) // by mistake
	for _, sql := range []string{
		`update audit_heads set sequence = sequence - 1`, `update audit_heads set sequence = 1`, `update audit_heads set hash = 'x'`, `update audit_heads set sequence = sequence + 2`,
		`update audit_heads set tenant_id = gen_random_uuid(), sequence = sequence + 1`, `delete from audit_heads`, `truncate audit_heads`, `drop trigger go_forward on audit_heads`,
	} {
		if err := db.App.Tenant(t.Context(), tenant, func(b *pgx.Batch) { b.Queue(sql) }); err == nil {
			t.Errorf("%s is allowed", sql)
		}
		if err := db.System.System(t.Context(), func(b *pgx.Batch) { b.Queue(sql) }); err == nil {
			t.Errorf("%s is allowed to the platform", sql)
		}
	}
	if err := db.App.Tenant(t.Context(), tenant, func(b *pgx.Batch) { b.Queue(`update audit_heads set sequence = sequence + 1`) }); err != nil {
		t.Errorf("forward by one: %v", err)
	}
}
