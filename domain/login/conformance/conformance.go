// Package conformance holds what every login.Store and login.Grants must keep.
package conformance

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

// Store is both of the ports.
type Store interface {
	login.Store
	login.Grants
}

// Run runs the suite on store, with tenants of its own.
func Run(t *testing.T, store Store) {
	t.Helper()
	runGrants(t, store)
	for name, test := range map[string]func(*testing.T, login.Store){
		"ClientIsMadeOnceUnderAKey":     madeOnce,
		"ClientsOfOthersAreUnknown":     others,
		"OneOfTwoChangesWins":           changes,
		"ThePlatformMarksItsOwn":        firstParty,
		"PagesOfClientsEnd":             pages,
		"OurServicesPutAndDropClients":  putAndDrop,
		"AddressesAreUniqueInATenant":   addresses,
		"OnlyACredentialCanBeOpened":    opened,
		"TheLastAttemptsPasswordIsKept": attempts,
		"ChangesOfPeopleLeaveAnEntry":   trail,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, store)
		})
	}
}

func draft(t *testing.T) login.Client {
	t.Helper()
	c, err := login.ClientDraft{Name: "c", Type: login.Confidential}.Client(uuid.Must(uuid.NewV7()).String(), time.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		t.Fatal(err)
	}
	c.SecretVersion, c.SecretHash = 1, []byte("hash")
	return c
}

func wantKind(t *testing.T, what string, err error, want fault.Kind) {
	t.Helper()
	if !fault.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func add(t *testing.T, s login.Store, who identity.Caller) login.Client {
	t.Helper()
	c, err := s.AddClient(t.Context(), who, draft(t))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func madeOnce(t *testing.T, s login.Store) {
	who := identity.Caller{Tenant: uuid.New(), Client: "c", Request: identity.Request{Once: &identity.Once{Key: "k", Fingerprint: "f"}}}
	first, second := add(t, s, who), add(t, s, who)
	if first.ID != second.ID || second.SecretVersion != 1 {
		t.Errorf("the same request makes %+v and %+v", first, second)
	}
	who.Request.Once = &identity.Once{Key: "k", Fingerprint: "other"}
	_, err := s.AddClient(t.Context(), who, draft(t))
	wantKind(t, "another request under the key", err, fault.Invalid)
}

func others(t *testing.T, s login.Store) {
	who, other := identity.Caller{Tenant: uuid.New()}, identity.Caller{Tenant: uuid.New()}
	c := add(t, s, who)
	_, err := s.Client(t.Context(), other, c.ID)
	wantKind(t, "another's client", err, fault.NotFound)
	wantKind(t, "deleting another's", s.DeleteClient(t.Context(), other, c.ID, 1), fault.NotFound)
	if got, err := s.Client(t.Context(), who, c.ID); err != nil || got.Name != "c" || got.Type != login.Confidential {
		t.Errorf("one's own: %+v, %v", got, err)
	}
	if err := s.DeleteClient(t.Context(), who, c.ID, 1); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "deleting it again", s.DeleteClient(t.Context(), who, c.ID, 1), fault.NotFound)
}

func changes(t *testing.T, s login.Store) {
	who := identity.Caller{Tenant: uuid.New()}
	c := add(t, s, who)
	c.Version, c.SecretVersion, c.PreviousHash, c.SecretHash, c.Enabled = 2, 2, c.SecretHash, []byte("second"), false
	until := time.Now().Add(time.Hour)
	c.WebOrigins = []string{"https://app.example"}
	c.PreviousUntil, c.JWKS = &until, &login.KeySet{Keys: []login.Key{{Kty: "EC", Kid: "k"}}}
	if _, err := s.ChangeClient(t.Context(), who, c, c); err != nil {
		t.Fatal(err)
	}
	_, err := s.ChangeClient(t.Context(), who, c, c)
	wantKind(t, "a change that came second", err, fault.Precondition)
	got, err := s.Client(t.Context(), who, c.ID)
	if err != nil || got.Version != 2 || got.Enabled || string(got.PreviousHash) != "hash" || string(got.SecretHash) != "second" || got.JWKS == nil || got.JWKS.Keys[0].Kid != "k" || len(got.WebOrigins) != 1 {
		t.Errorf("after the change: %+v, %v", got, err)
	}
	wantKind(t, "deleting the version before", s.DeleteClient(t.Context(), who, c.ID, 1), fault.Precondition)
}

func firstParty(t *testing.T, s login.Store) {
	who, other := identity.Caller{Tenant: uuid.New()}, uuid.New()
	c := add(t, s, who)
	wantKind(t, "another's client", s.SetFirstParty(t.Context(), other, c.ID, true), fault.NotFound)
	if err := s.SetFirstParty(t.Context(), who.Tenant, c.ID, true); err != nil {
		t.Fatal(err)
	}
	c.Version = 3
	if _, err := s.ChangeClient(t.Context(), who, c, c); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Client(t.Context(), who, c.ID); err != nil || !got.FirstParty {
		t.Errorf("a tenant's change ends the mark: %+v, %v", got, err)
	}
}

func pages(t *testing.T, s login.Store) {
	who := identity.Caller{Tenant: uuid.New()}
	for range 5 {
		add(t, s, who)
	}
	seen, r := map[string]bool{}, page.Request{Limit: 2}
	for range 4 {
		got, err := s.Clients(t.Context(), who, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range got.Items {
			seen[c.ID] = true
		}
		if got.Next == nil {
			break
		}
		r.After = *got.Next
	}
	if len(seen) != 5 {
		t.Errorf("%d clients seen, want 5", len(seen))
	}
}

func putAndDrop(t *testing.T, s login.Store) {
	who, c := identity.Caller{Tenant: uuid.New()}, draft(t)
	late := c
	late.Name = "late"
	for _, c := range []login.Client{c, late} { // again it changes nothing
		if err := s.PutClient(t.Context(), who.Tenant, c); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Clients(t.Context(), who, page.Request{Limit: 10}); err != nil || len(got.Items) != 1 || got.Items[0].Name != c.Name {
		t.Errorf("put twice: %+v, %v", got, err)
	}
	if told, err := s.Audit(t.Context(), who, page.Request{Limit: 10}); err != nil || len(told.Items) != 1 || told.Items[0].Action != login.ClientCreated {
		t.Errorf("of that the trail tells %+v, %v", told, err)
	}
	for range 2 {
		if err := s.DropClient(t.Context(), who.Tenant, c.ID); err != nil {
			t.Fatal(err)
		}
	}
}
