package rest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// feed gives out each list once; nil is a failure. It counts how often it is asked.
type feed struct {
	lists chan []identity.Revocation
	asked atomic.Int64
}

func (f *feed) next(context.Context, int64) (identity.Revocations, error) {
	f.asked.Add(1)
	select {
	case items := <-f.lists:
		if items == nil {
			return identity.Revocations{}, errors.New("auth is away")
		}
		return identity.Revocations{Next: 1, Items: items}, nil
	default:
		return identity.Revocations{Next: 1}, nil
	}
}

func TestRevocationBitesWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	issuer := resttest.NewIssuer(t)
	tenant, user := uuid.New(), uuid.New()
	person := identity.Caller{Tenant: tenant, User: user, Client: "c"}
	token := func(who identity.Caller, jti string, issued time.Time) string {
		claims := issuer.Claims(who)
		claims["jti"], claims["iat"] = jti, issued.Unix()
		return issuer.Sign(t, "at+jwt", claims, nil)
	}
	now := time.Now()
	family, id := uuid.Must(uuid.NewV7()).String(), uuid.NewString()
	old := token(person, family+".x", now)
	machine, ours := token(identity.Caller{Tenant: tenant, Client: "c"}, id, now), token(identity.Caller{Tenant: tenant, Client: "svc-users", Scopes: []string{"platform"}}, id, now)
	for what, c := range map[string]struct {
		subject       string
		ends, survive []string
	}{
		"a person": {"user:" + user.String(), []string{old}, []string{machine}},
		"a person whose login was given no family yet": {"user:" + user.String(), []string{token(person, id, now)}, nil},
		"a tenant, but not our services":               {"", []string{old, machine}, []string{ours}},
		"a client":                                     {"client:c", []string{old, machine}, []string{ours}},
		"a family":                                     {"family:" + family, []string{old}, []string{machine, token(person, uuid.NewString()+".x", now)}},
		"one token":                                    {"token:" + id, []string{machine}, []string{old}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			v, f := issuer.Verifier(), &feed{lists: make(chan []identity.Revocation, 2)}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go v.Watch(ctx, f.next)
			for _, good := range append(append([]string{}, c.ends...), c.survive...) {
				if _, err := v.Verify(t.Context(), good); err != nil {
					t.Fatalf("before: %v", err)
				}
			}
			f.lists <- nil
			time.Sleep(2 * time.Millisecond) // a family of the same millisecond as the revocation is refused
			at := time.Now()
			f.lists <- []identity.Revocation{{Tenant: tenant, Subject: c.subject, At: at, ExpiresAt: at.Add(time.Minute)}, {Tenant: uuid.New(), At: at, ExpiresAt: at.Add(time.Minute)}}
			deadline := time.Now().Add(4 * time.Second) // one pull failed
			for _, bad := range c.ends {
				for {
					_, err := v.Verify(t.Context(), bad)
					if fault.Is(err, fault.Unauthenticated) {
						break
					}
					if time.Now().After(deadline) {
						t.Fatalf("still accepted: %v", err)
					}
					time.Sleep(10 * time.Millisecond)
				}
			}
			for _, good := range c.survive {
				if _, err := v.Verify(t.Context(), good); err != nil {
					t.Errorf("what is not concerned: %v", err)
				}
			}
			if fresh := token(person, uuid.Must(uuid.NewV7()).String()+".x", at); c.subject == "user:"+user.String() {
				if _, err := v.Verify(t.Context(), fresh); err != nil {
					t.Errorf("a login of the same second, after it: %v", err)
				}
			}
			if n := f.asked.Load(); n > 6 {
				t.Errorf("the feed was asked %d times", n)
			}
		})
	}
}

func TestRevocationIsForgottenWhenItsTokensHaveExpired(t *testing.T) {
	t.Parallel()
	issuer := resttest.NewIssuer(t)
	who := identity.Caller{Tenant: uuid.New(), Client: "c"}
	v, f := issuer.Verifier(), &feed{lists: make(chan []identity.Revocation, 1)}
	at := time.Now()
	f.lists <- []identity.Revocation{{Tenant: who.Tenant, At: at, ExpiresAt: at.Add(time.Second)}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go v.Watch(ctx, f.next)
	token := issuer.Token(t, who)
	deadline := time.Now().Add(5 * time.Second)
	for refused := false; ; time.Sleep(10 * time.Millisecond) {
		_, err := v.Verify(t.Context(), token)
		refused = refused || err != nil
		if refused && err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("refused at all: %v, at last: %v", refused, err)
		}
	}
}
