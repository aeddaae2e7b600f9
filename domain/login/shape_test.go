package login_test

import (
	"context"
	"slices"
	"testing"
	"time"

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

// What a client was given under other rules is in nobody's way: it can be disabled,
// and is judged when it is named anew.
func TestWhatAClientWasGivenStands(t *testing.T) {
	t.Parallel()
	store, who := &fake.Store{}, identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	s := login.Service{Store: store, Gate: accessfake.Gate{}, Roles: weak{}}
	c, err := login.ClientDraft{Name: "c", Type: login.Public, RedirectURIs: []string{"https://app.example/cb"}}.Client(uuid.NewString(), time.Now())
	if err == nil {
		c.Name, c.RedirectURIs, c.PostLogoutRedirectURIs, c.WebOrigins = "a\u202eb", []string{"x:1"}, []string{"x:2"}, []string{"x:3"}
		c, err = store.AddClient(t.Context(), who, c)
	}
	if err == nil {
		c, err = s.ChangeClient(t.Context(), who, c.ID, c.Version, login.ClientPatch{Enabled: patch.Field[bool]{Set: true}})
	}
	if err != nil || c.Enabled {
		t.Fatalf("it is disabled: %v, enabled %v", err, c.Enabled)
	}
	uris := func(all ...string) patch.Field[[]string] { return patch.Field[[]string]{Set: true, To: all} }
	for pointer, p := range map[string]login.ClientPatch{
		"/name":                        {Name: patch.Field[string]{Set: true, To: "a\u202ec"}},
		"/redirect_uris/1":             {RedirectURIs: uris("x:1", "x:4")},
		"/post_logout_redirect_uris/0": {PostLogoutRedirectURIs: uris("x:4")},
		"/web_origins/1":               {WebOrigins: uris("x:3", "x:4")},
	} {
		_, err := s.ChangeClient(t.Context(), who, c.ID, c.Version, p)
		if e := fault.As(err); !fault.Is(err, fault.Invalid) || len(e.Fields) != 1 || e.Fields[0].Pointer != pointer {
			t.Errorf("another value: %v, want it refused at %s", err, pointer)
		}
	}
}
