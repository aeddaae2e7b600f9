package conformance

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

const crowd = 20 // that use a link at once

// link is a mailed link that works, and what it is for.
type link struct {
	tenancy.Link
	use func(once *identity.Once, attempt int64) error
}

// links returns an invitation's and a registration's.
func (w world) links(t *testing.T) []link {
	t.Helper()
	_, who := w.made(t, "acme")
	i, r := w.invite(t, who, "grace@acme.example"), w.register(t, "beta")
	u := tenancy.User{ID: i.ID, Email: i.Email, Name: "Grace", Status: tenancy.UserActive, CreatedAt: clock()}
	by := func(tenant identity.TenantID, once *identity.Once) identity.Caller {
		return identity.Caller{Tenant: tenant, Request: identity.Request{Once: once}}
	}
	return []link{
		{tenancy.Link{Tenant: who.Tenant, Invitation: i.ID}, func(once *identity.Once, n int64) error {
			_, err := w.Accept(t.Context(), by(who.Tenant, once), n, u)
			return err
		}},
		{tenancy.Link{Tenant: r.ID}, func(once *identity.Once, n int64) error {
			_, err := w.Verify(t.Context(), by(r.ID, once), n, clock())
			return err
		}},
	}
}

func attempts(t *testing.T, w world) {
	for _, l := range w.links(t) {
		for _, a := range []struct {
			by   string
			want int64
		}{{"a", 1}, {"b", 2}, {"b", 2}, {"a", 3}} {
			if n, err := w.Attempt(t.Context(), l.Link, a.by, clock()); err != nil || n != a.want {
				t.Errorf("%s's attempt is %d, %v, want %d", a.by, n, err, a.want)
			}
		}
		if _, err := w.Attempt(t.Context(), l.Link, "c", clock().Add(2*time.Hour)); !errors.Is(err, tenancy.ErrLinkExpired) {
			t.Errorf("after its life: %v", err)
		}
		if err := l.use(nil, 2); !errors.Is(err, tenancy.ErrLinkOvertaken) {
			t.Errorf("an attempt that was overtaken: %v", err)
		}
		if err := l.use(nil, 3); err != nil {
			t.Errorf("the last attempt: %v", err)
		}
		if _, err := w.Attempt(t.Context(), l.Link, "c", clock()); !errors.Is(err, tenancy.ErrLinkUsed) {
			t.Errorf("an attempt after the link was used: %v", err)
		}
		if err := l.use(nil, 3); !errors.Is(err, tenancy.ErrLinkUsed) {
			t.Errorf("the attempt that succeeded, again: %v", err)
		}
		l.Tenant = uuid.New()
		_, err := w.Attempt(t.Context(), l.Link, "c", clock())
		wantKind(t, "in another tenant", err, fault.NotFound)
	}
}

func attemptedByMany(t *testing.T, w world) {
	for _, l := range w.links(t) {
		var last, used atomic.Int64
		var all sync.WaitGroup
		for range crowd {
			all.Go(func() {
				n, err := w.Attempt(t.Context(), l.Link, uuid.NewString(), clock())
				if err == nil {
					for was := last.Load(); n > was && !last.CompareAndSwap(was, n); was = last.Load() {
					}
					err = l.use(nil, n)
				}
				if err != nil {
					wantKind(t, "another attempt", err, fault.Conflict)
				} else if was := used.Swap(n); was != 0 {
					t.Errorf("attempts %d and %d succeed", was, n)
				}
			})
		}
		if all.Wait(); used.Load() == 0 || used.Load() != last.Load() {
			t.Errorf("attempt %d of %d succeeds, want the last", used.Load(), last.Load())
		}
	}
}

func attemptedAgain(t *testing.T, w world) {
	for _, l := range w.links(t) {
		var begun, all sync.WaitGroup
		begun.Add(crowd)
		for range crowd {
			all.Go(func() {
				n, err := w.Attempt(t.Context(), l.Link, "f", clock())
				begun.Done()
				if begun.Wait(); err == nil {
					err = l.use(&identity.Once{Key: "k", Fingerprint: "f"}, n)
				}
				if err != nil || n != 1 {
					t.Errorf("attempt %d: %v", n, err)
				}
			})
		}
		all.Wait()
	}
}
