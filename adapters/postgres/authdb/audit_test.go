package authdb_test

import (
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
	if n, err := s.VerifyAudit(t.Context()); err != nil || n != 100 {
		t.Fatalf("%d entries hold, %v", n, err)
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
			_, err := s.VerifyAudit(t.Context())
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
