package conformance

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

func mailed(t *testing.T, w world) {
	first := w.register(t, "first")
	next := func(at time.Time, once *identity.Once) (tenancy.Registration, error) {
		r := first
		r.ID, r.OwnerID, r.CreatedAt, r.ExpiresAt = uuid.New(), uuid.New(), at, at.Add(time.Hour)
		if once != nil {
			r.ID = uuid.NewSHA1(first.ID, []byte(once.Key))
		}
		r.TenantID, r.Slug = r.ID, "s"+r.ID.String()
		return w.Register(t.Context(), identity.Caller{Tenant: r.ID, Request: identity.Request{Once: once}}, r)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var made []tenancy.Registration
	keys := map[uuid.UUID]*identity.Once{}
	for n := range 2 * tenancy.MaxMails {
		all.Go(func() {
			once := &identity.Once{Key: fmt.Sprint(n), Fingerprint: "f"}
			r, err := next(clock(), once)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made, keys[r.ID] = append(made, r), once
			} else {
				throttled(t, err)
			}
		})
	}
	all.Wait()
	if len(made) != tenancy.MaxMails-1 {
		t.Fatalf("%d more registrations of one address, want %d", len(made), tenancy.MaxMails-1)
	}
	if again, err := next(clock(), keys[made[0].ID]); err != nil || again.ID != made[0].ID {
		t.Errorf("the same request again: %+v, %v", again, err)
	}
	if _, err := w.Verify(t.Context(), identity.Caller{Tenant: made[0].ID}, 0, clock()); err != nil {
		t.Fatal(err)
	}
	if _, err := next(clock(), nil); err != nil {
		t.Errorf("after one was verified: %v", err)
	}
	_, err := next(clock(), nil)
	throttled(t, err)
	if _, err := next(clock().Add(tenancy.MailSpan), nil); err != nil {
		t.Errorf("later: %v", err)
	}
	first.Email = "grace@acme.example"
	if _, err := next(clock(), nil); err != nil {
		t.Errorf("another address: %v", err)
	}
}

func invitedOften(t *testing.T, w world) {
	_, who := w.made(t, "acme")
	_, other := w.made(t, "other")
	invite := func(who identity.Caller, email string, at time.Time) error {
		i, err := w.Invite(t.Context(), who, tenancy.Invitation{ID: uuid.New(), Email: email, Role: "member", Status: tenancy.InvitationPending,
			InvitedBy: who.Subject(), CreatedAt: at, ExpiresAt: at.Add(time.Hour)})
		if err == nil {
			err = w.Withdraw(t.Context(), who, i.ID, at)
		}
		return err
	}
	for range tenancy.MaxMails {
		if err := invite(who, "grace@acme.example", clock()); err != nil {
			t.Fatal(err)
		}
	}
	throttled(t, invite(who, "grace@acme.example", clock()))
	for what, err := range map[string]error{
		"another address": invite(who, "alan@acme.example", clock()),
		"another's":       invite(other, "grace@acme.example", clock()),
		"an hour later":   invite(who, "grace@acme.example", clock().Add(tenancy.MailSpan)),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// throttled fails the test unless err says to wait, for as long as a mail counts at most.
func throttled(t *testing.T, err error) {
	t.Helper()
	wantKind(t, "one mail too many", err, fault.Throttled)
	if f := fault.As(err); f != nil && (f.RetryAfter < tenancy.MailSpan-time.Minute || f.RetryAfter > tenancy.MailSpan) {
		t.Errorf("one mail too many: again after %v", f.RetryAfter)
	}
}
