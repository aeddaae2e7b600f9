package authzdb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/adapters/postgres/authzdb"
	"bailiwick.dev/adapters/postgres/catalogue"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/access/conformance"
	"bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, "authz", authzdb.Migrations)
	conformance.Store(t, authzdb.New(d.App, d.System))
}

func TestRegistryConforms(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t, "authz", authzdb.Migrations)
	conformance.Registry(t, authzdb.New(d.App, d.System))
}

func TestSchemaKeepsTenantsApart(t *testing.T) {
	t.Parallel()
	catalogue.Check(t, pgtest.New(t, "authz", authzdb.Migrations), "registered_permissions")
}

// Each change wakes up who listens, with its commit and not without it.
func TestChangeWakesUp(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "authz", authzdb.Migrations)
	store := authzdb.New(db.App, db.System)
	who := identity.Caller{Tenant: uuid.Must(uuid.NewV7()), Client: "svc-users", Scopes: []string{identity.PlatformScope}}
	heard := make(chan access.TenantVersion, 1000)
	go authzdb.Listen(t.Context(), db.AppURL, func(tenant identity.TenantID, version int64) {
		heard <- access.TenantVersion{Tenant: tenant, Version: version}
	})
	s := access.NewService(store, fake.Policies{Store: store}, &fake.People{}, fake.Compile)
	next := func() access.TenantVersion {
		t.Helper()
		select {
		case v := <-heard:
			return v
		case <-time.After(20 * time.Second):
			t.Fatal("nothing was heard")
			return access.TenantVersion{}
		}
	}
	for began := time.Now(); len(heard) == 0; { // until it listens
		if time.Since(began) > 20*time.Second {
			t.Fatal("nothing was heard for 20 seconds")
		}
		if err := errors.Join(s.Unseed(t.Context(), who), s.Seed(t.Context(), who)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	for len(heard) > 0 {
		<-heard
	}
	undone := errors.New("undone")
	for _, want := range []error{undone, nil} {
		err := store.Change(t.Context(), who, new(int), func(access.Snapshot, access.Writer) (*access.Change, error) { return &access.Change{}, want })
		if !errors.Is(err, want) {
			t.Fatal(err)
		}
	}
	if v, err := store.Version(t.Context(), who.Tenant); err != nil || next() != (access.TenantVersion{Tenant: who.Tenant, Version: v}) {
		t.Errorf("what was heard is not of version %d, %v", v, err)
	}
	if err := s.Unseed(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	if got := next(); got.Version != 0 {
		t.Errorf("after the erasure: %+v, want version 0", got)
	}
}

// A version is read after it was asked for, however many share the query.
func TestVersionIsNotOlderThanTheQuestion(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "authz", authzdb.Migrations)
	store := authzdb.New(db.App, db.System)
	var all errgroup.Group
	for range 8 {
		who := identity.Caller{Tenant: uuid.Must(uuid.NewV7()), Client: "svc-users", Scopes: []string{identity.PlatformScope}}
		all.Go(func() error {
			for i := range 50 {
				if err := store.Change(t.Context(), who, new(int), func(access.Snapshot, access.Writer) (*access.Change, error) { return &access.Change{}, nil }); err != nil {
					return err
				}
				if v, err := store.Version(t.Context(), who.Tenant); err != nil || v != int64(i+1) {
					return fmt.Errorf("version %d after %d changes, %w", v, i+1, err)
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
}

// However many changes of one tenant wait, another's is made.
func TestChangesOfOneTenantHoldUpNoOther(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "authz", authzdb.Migrations)
	app, err := postgres.Open(t.Context(), strings.Replace(db.AppURL, "pool_max_conns=8", "pool_max_conns=3", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	store := authzdb.New(app, db.System)
	change := func(ctx context.Context, tenant uuid.UUID, edit func()) error {
		return store.Change(ctx, identity.Caller{Tenant: tenant, Client: "x"}, new(int), func(access.Snapshot, access.Writer) (*access.Change, error) {
			edit()
			return &access.Change{}, nil
		})
	}
	tenant, begun, end := uuid.New(), make(chan struct{}), make(chan struct{})
	var all errgroup.Group
	all.Go(func() error { return change(t.Context(), tenant, func() { close(begun); <-end }) })
	<-begun
	for range 10 {
		all.Go(func() error { return change(t.Context(), tenant, func() {}) })
	}
	gone, leave := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, leave)
	if err := change(gone, tenant, func() {}); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that leaves: %v", err)
	}
	soon, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	if err := change(soon, uuid.New(), func() {}); err != nil {
		t.Errorf("another tenant's change: %v", err)
	}
	close(end)
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
}

// However many tenants replace their policies, another's change is made, and a
// policy read; who waits too long for a place is told to try again.
func TestReplacementsLeaveConnectionsToOthers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t, "authz", authzdb.Migrations)
	app, err := postgres.Open(t.Context(), strings.Replace(db.AppURL, "pool_max_conns=8", "pool_max_conns=4", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	store := authzdb.New(app, db.System)
	caller := func() identity.Caller { return identity.Caller{Tenant: uuid.New(), Client: "x"} }
	begun, over := make(chan struct{}, 4), make(chan struct{})
	end := sync.OnceFunc(func() { close(over) })
	t.Cleanup(end)
	slow := func(access.Snapshot, access.Writer) (*access.Change, error) {
		begun <- struct{}{}
		<-over
		return &access.Change{}, nil
	}
	var all errgroup.Group
	for range 2 {
		all.Go(func() error { return store.Replace(t.Context(), caller(), new(int), slow) })
		<-begun
	}
	never := func(access.Snapshot, access.Writer) (*access.Change, error) {
		t.Error("a third replacement is begun")
		return nil, nil
	}
	gone, leave := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, leave)
	if err := store.Replace(gone, caller(), new(int), never); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that leaves: %v", err)
	}
	if err := store.Replace(t.Context(), caller(), new(int), never); !fault.Is(err, fault.Unavailable) {
		t.Errorf("who waits for long: %v, want unavailable", err)
	}
	for range 2 { // the second has its turn after the first
		all.Go(func() error { return store.Change(t.Context(), caller(), new(int), slow) })
	}
	soon, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	select {
	case <-begun:
	case <-soon.Done():
		t.Fatal("a change waits for replacements")
	}
	if _, err := store.Snapshot(soon, uuid.New()); err != nil {
		t.Errorf("a policy is not read: %v", err)
	}
	end()
	if err := all.Wait(); err != nil {
		t.Error(err)
	}
}
