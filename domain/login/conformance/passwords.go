package conformance

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

const address = "a@b.example" // of the world's person

// asked is what one request for a reset counts for: the second has to wait.
func asked() login.Failure { return login.Failure{Key: secret(), Free: 1, Longest: time.Hour} }

// link is a link that was mailed, by the hash of its secret.
func (w world) link(t *testing.T, purpose string) []byte {
	t.Helper()
	id, s := uuid.New(), secret()
	if purpose == login.ResetLink {
		must(t, w.AskReset(t.Context(), w.tenant, address, id, event(login.PasswordResetRequested), asked()))
	} else {
		must(t, w.AskVerification(t.Context(), identity.Caller{Tenant: w.tenant, User: w.user}, id))
	}
	due := login.DueLink{Tenant: w.tenant, ID: id, User: w.user, Purpose: purpose}
	if c, err := w.Mailing(t.Context(), due, s); err != nil || c.Email != address {
		t.Fatalf("a due link goes to %+v, %v", c, err)
	}
	must(t, w.Mailed(t.Context(), due))
	return s
}

func passwords(t *testing.T, w world) {
	stays, _, err := w.logIn(t, "x")
	must(t, err)
	ended, endedSecret, err := w.logIn(t, "x")
	must(t, err)
	family := w.familyOf(t, ended.ID)
	wantKind(t, "in place of another hash", w.SetPassword(t.Context(), w.tenant, w.user, "other", "y", uuid.Nil, event(login.PasswordChanged)), fault.NotFound)
	must(t, w.Rehash(t.Context(), w.tenant, w.user, "x", "z"))
	if !w.lives(t, family) {
		t.Error("a rehash ends a family")
	}
	must(t, w.SetPassword(t.Context(), w.tenant, w.user, "z", "y", stays.ID, event(login.PasswordChanged)))
	_, err = w.Session(t.Context(), w.tenant, endedSecret)
	wantKind(t, "another session", err, fault.NotFound)
	if c, err := w.Credential(t.Context(), w.tenant, w.user); err != nil || c.Hash != "y" || w.lives(t, family) {
		t.Errorf("the credential is %+v, %v; the family lives: %v", c, err, w.lives(t, family))
	}
}

func resets(t *testing.T, w world) {
	f := asked()
	for range 2 { // counted, although nobody has the address
		must(t, w.AskReset(t.Context(), w.tenant, "nobody@b.example", uuid.New(), event(login.PasswordResetRequested), f))
	}
	if _, until, err := w.Attempt(t.Context(), w.tenant, "", f.Key); err != nil || !until.After(time.Now()) {
		t.Errorf("who asks for many resets may ask again until %v, %v", until, err)
	}
	wantKind(t, "no link", w.Reset(t.Context(), w.tenant, secret(), w.user, "y", event(login.PasswordReset)), fault.NotFound)
	link, other := w.link(t, login.ResetLink), w.link(t, login.ResetLink)
	if c, err := w.Link(t.Context(), w.tenant, login.ResetLink, link); err != nil || c.User != w.user {
		t.Errorf("the link is %+v's, %v", c, err)
	}
	_, err := w.Link(t.Context(), w.tenant, login.VerificationLink, link)
	wantKind(t, "for another purpose", err, fault.NotFound)
	_, err = w.Link(t.Context(), uuid.New(), login.ResetLink, link)
	wantKind(t, "in another tenant", err, fault.NotFound)
	var done atomic.Int64
	var all sync.WaitGroup
	for range crowd {
		all.Go(func() {
			if w.Reset(t.Context(), w.tenant, link, w.user, "y", event(login.PasswordReset)) == nil {
				done.Add(1)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 {
		t.Errorf("a link worked %d times", done.Load())
	}
	wantKind(t, "another link after a reset", w.Reset(t.Context(), w.tenant, other, w.user, "z", event(login.PasswordReset)), fault.NotFound)
}

func verifications(t *testing.T, w world) {
	verified := func() bool {
		c, err := w.Credential(t.Context(), w.tenant, w.user)
		must(t, err)
		return c.EmailVerified
	}
	link := w.link(t, login.VerificationLink)
	if verified() {
		t.Error("verified before the link is used")
	}
	must(t, w.Verify(t.Context(), w.tenant, link, w.user, event(login.EmailVerified)))
	wantKind(t, "again", w.Verify(t.Context(), w.tenant, link, w.user, event(login.EmailVerified)), fault.NotFound)
	if !verified() {
		t.Error("not verified after it")
	}
}

// Anybody may ask for a reset: that keeps no verification away, nor the other way round.
func linksApart(t *testing.T, w world) {
	asks := map[string]func(uuid.UUID) error{
		login.ResetLink: func(id uuid.UUID) error {
			return w.AskReset(t.Context(), w.tenant, address, id, event(login.PasswordResetRequested), asked())
		},
		login.VerificationLink: func(id uuid.UUID) error {
			return w.AskVerification(t.Context(), identity.Caller{Tenant: w.tenant, User: w.user}, id)
		},
	}
	for purpose, ask := range asks {
		for n := range 4 {
			id := uuid.New()
			must(t, ask(id))
			_, err := w.Mailing(t.Context(), login.DueLink{Tenant: w.tenant, ID: id, User: w.user, Purpose: purpose}, secret())
			if mailed := err == nil; mailed != (n < 3) {
				t.Errorf("%s %d in an hour: mailed %v, %v", purpose, n+1, mailed, err)
			}
		}
	}
}

func throttled(t *testing.T, w world) {
	f, elsewhere := login.Failure{Key: secret(), Free: 2, Longest: time.Hour}, secret()
	for range 4 {
		if c, until, err := w.Attempt(t.Context(), w.tenant, address, elsewhere); err != nil || !until.IsZero() || c.User != w.user {
			t.Errorf("from elsewhere: %+v until %v, %v", c, until, err)
		}
		must(t, w.Failed(t.Context(), w.tenant, event(login.LoginFailed), f))
	}
	if c, until, err := w.Attempt(t.Context(), w.tenant, "nobody@b.example", elsewhere, f.Key); err != nil || !until.After(time.Now()) || c.User != uuid.Nil {
		t.Errorf("after four failures: %+v until %v, %v", c, until, err)
	}
	at := login.Session{ID: uuid.New(), UserID: w.user, AuthenticatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
	wantKind(t, "a login that was under way", w.LoggedIn(t.Context(), w.tenant, secret(), at, "x", [][]byte{elsewhere, f.Key}, event(login.LoginSucceeded)), fault.NotFound)
	wantKind(t, "one by the very key", w.LoggedIn(t.Context(), w.tenant, secret(), at, "x", [][]byte{f.Key}, event(login.LoginSucceeded)), fault.NotFound)
	if _, until, err := w.Attempt(t.Context(), w.tenant, address, f.Key); err != nil || !until.After(time.Now()) {
		t.Errorf("after a login that was refused: blocked until %v, %v", until, err)
	}
	must(t, w.LoggedIn(t.Context(), w.tenant, secret(), at, "x", [][]byte{elsewhere}, event(login.LoginSucceeded)))
}
