package casbin_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/casbin"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// counted is a store that counts how often it is asked.
type counted struct {
	fake.Store
	asked atomic.Int64
	slow  time.Duration
}

func (c *counted) Version(ctx context.Context, tenant identity.TenantID) (int64, error) {
	c.asked.Add(1)
	time.Sleep(c.slow)
	return c.Store.Version(ctx, tenant)
}

// change makes the next version.
func (c *counted) change(t *testing.T, tenant identity.TenantID) int64 {
	t.Helper()
	who := identity.Caller{Tenant: tenant, Client: "x"}
	err := c.Change(t.Context(), who, new(int), func(access.Snapshot, access.Writer) (*access.Change, error) { return &access.Change{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.Store.Version(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestPolicyIsRememberedForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, tenant := &counted{}, uuid.New()
		policies := casbin.NewPolicies(store)
		version := func(least int64) int64 {
			p, err := policies.Policy(t.Context(), tenant, least)
			if err != nil {
				t.Fatal(err)
			}
			return p.Version()
		}
		for range 1000 {
			version(0)
		}
		if n := store.asked.Load(); n != 1 {
			t.Errorf("the store was asked %d times, want once", n)
		}
		store.change(t, tenant)
		if v := version(0); v != 0 {
			t.Errorf("at once: version %d, want what is remembered", v)
		}
		if v := version(1); v != 1 {
			t.Errorf("version 1 was asked for and %d answered", v)
		}
		store.change(t, tenant)
		time.Sleep(250 * time.Millisecond)
		if v := version(0); v != 2 {
			t.Errorf("a quarter of a second later: version %d, want 2", v)
		}
		store.change(t, tenant)
		policies.Forget(tenant)
		if v := version(0); v != 3 {
			t.Errorf("after forgetting: version %d, want 3", v)
		}
		if _, err := policies.Policy(t.Context(), tenant, 4); !fault.Is(err, fault.Conflict) {
			t.Errorf("a version that is not there: %v, want conflict", err)
		}
		synctest.Wait()
	})
}

// Nobody waits for a slow store longer than they want to, and who waits on has
// the answer that others gave up.
func TestSlowStoreIsWaitedForAsLongAsOneWants(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, tenant := &counted{slow: time.Second}, uuid.New()
		policies := casbin.NewPolicies(store)
		hasty, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := policies.Policy(hasty, tenant, 0); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v, want unavailable", err)
		}
		if _, err := policies.Policy(t.Context(), tenant, 0); err != nil || store.asked.Load() != 1 {
			t.Errorf("%v after %d questions, want the answer to the first", err, store.asked.Load())
		}
	})
}

// Whoever reads while others change sees no version go back, and writers see
// their writes.
func TestReadersSeeVersionsInOrder(t *testing.T) {
	t.Parallel()
	store, tenant := &counted{}, uuid.New()
	policies := casbin.NewPolicies(store)
	var written atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for last := int64(0); last < 200; {
				least := written.Load()
				p, err := policies.Policy(t.Context(), tenant, least)
				if err != nil || p.Version() < least {
					t.Errorf("version %v, %v, want %d or later", p, err, least)
					return
				}
				last = p.Version()
			}
		})
	}
	all.Go(func() {
		for range 200 {
			v := store.change(t, tenant)
			policies.Forget(tenant)
			written.Store(v)
		}
	})
	all.Wait()
}
