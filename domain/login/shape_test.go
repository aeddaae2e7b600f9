package login_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/login/fake"
	"bailiwick.dev/domain/patch"
)

// weak is what the authorization service says of a caller who holds less than a client.
type weak struct{ other access.Subject }

func (w weak) Covers(_ context.Context, _ identity.TenantID, _, other access.Subject) error {
	if other == w.other {
		return fault.New(fault.Forbidden, "stronger_than_you", "this concerns what you do not hold")
	}
	return nil
}

// Who becomes a client can do what its roles give.
func TestNobodyShapesAClientThatIsStronger(t *testing.T) {
	t.Parallel()
	store, who := &fake.Store{}, identity.Caller{Tenant: uuid.New(), User: uuid.New(), Scopes: []string{"auth"}}
	s := login.Service{Store: store, Gate: accessfake.Gate{}, SecretKey: []byte("k")}
	make := func() login.Client {
		c, err := s.CreateClient(t.Context(), who, login.ClientDraft{Name: "c", Type: login.Confidential, Scopes: []string{"auth"}, RedirectURIs: []string{"https://app.example/cb"}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	strong, plain := make(), make()
	s.Roles = weak{access.Subject{Client: strong.ID}}
	for what, do := range map[string]func(who identity.Caller, c login.Client) error{
		"rotate": func(who identity.Caller, c login.Client) error {
			_, err := s.RotateSecret(t.Context(), who, c.ID)
			return err
		},
		"end the previous secret": func(who identity.Caller, c login.Client) error {
			return s.EndPreviousSecret(t.Context(), who, c.ID)
		},
		"change": func(who identity.Caller, c login.Client) error {
			_, err := s.ChangeClient(t.Context(), who, c.ID, c.Version, login.ClientPatch{Name: patch.Field[string]{Set: true, To: "d"}})
			return err
		},
		"delete": func(who identity.Caller, c login.Client) error {
			return s.DeleteClient(t.Context(), who, c.ID, c.Version)
		},
	} {
		if err := do(who, strong); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v, want forbidden", what, err)
		}
		if again, err := store.Client(t.Context(), who, strong.ID); err != nil || again.Version != strong.Version {
			t.Errorf("%s has changed it: %+v, %v", what, again, err)
		}
		if err := do(who, make()); fault.Is(err, fault.Forbidden) {
			t.Errorf("%s a client without roles: %v", what, err)
		}
	}
	itself := identity.Caller{Tenant: who.Tenant, Client: strong.ID, Scopes: []string{"auth"}}
	if _, err := s.RotateSecret(t.Context(), itself, strong.ID); err != nil {
		t.Errorf("a client rotates its own secret: %v", err)
	}
	itself.Client = plain.ID
	for _, scopes := range [][]string{{"auth", "tasks"}, {"openid", "auth"}, {}} {
		c, err := store.Client(t.Context(), who, plain.ID)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.ChangeClient(t.Context(), itself, plain.ID, c.Version, login.ClientPatch{Scopes: patch.Field[[]string]{Set: true, To: scopes}})
		if want := slices.Contains(scopes, "tasks"); fault.Is(err, fault.Forbidden) != want || !want && err != nil {
			t.Errorf("a client gives itself %v: %v", scopes, err)
		}
	}
}

// The operator's mark is for the addresses that a client has.
func TestMarkedClientKeepsItsAddresses(t *testing.T) {
	t.Parallel()
	store, who := &fake.Store{}, identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	s := login.Service{Store: store, Gate: accessfake.Gate{}, Roles: weak{}}
	c, err := s.CreateClient(t.Context(), who, login.ClientDraft{Name: "c", Type: login.Public, RedirectURIs: []string{"https://app.example/cb", "https://app.example/2"}})
	if err == nil {
		err = store.SetFirstParty(t.Context(), who.Tenant, c.ID, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	change := func(version int64, uris ...string) error {
		_, err := s.ChangeClient(t.Context(), who, c.ID, version, login.ClientPatch{RedirectURIs: patch.Field[[]string]{Set: true, To: uris}})
		return err
	}
	if err := change(2, "https://app.example/cb", "https://evil.example/cb"); !fault.Is(err, fault.Conflict) {
		t.Errorf("an address is added: %v, want a conflict", err)
	}
	if err := change(2, "https://app.example/cb"); err != nil {
		t.Errorf("one is taken away: %v", err)
	}
}
