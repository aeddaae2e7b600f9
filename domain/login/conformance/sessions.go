package conformance

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

func (w world) logIn(t *testing.T, hash string) (login.Session, []byte, error) {
	t.Helper()
	at := login.Session{ID: uuid.New(), UserID: w.user, AuthenticatedAt: time.Now().UTC().Truncate(time.Microsecond), ExpiresAt: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond), Network: "192.0.2.0/24", UserAgent: "test"}
	s := secret()
	return at, s, w.LoggedIn(t.Context(), w.tenant, s, at, hash, [][]byte{secret()}, event(login.LoginSucceeded))
}

func (w world) codeOf(session uuid.UUID) login.Code {
	return login.Code{Hash: secret(), ClientID: w.client, UserID: w.user, FamilyID: uuid.New(), SessionID: session, Request: []byte(`{}`), ExpiresAt: time.Now().Add(time.Minute)}
}

// familyOf is a family of a session's, through a code.
func (w world) familyOf(t *testing.T, session uuid.UUID) uuid.UUID {
	t.Helper()
	c := w.codeOf(session)
	must(t, w.AddCode(t.Context(), w.tenant, c))
	if done, err := w.Exchange(t.Context(), w.tenant, w.exchange(c.Hash, secret())); err != nil || !done {
		t.Fatalf("exchange: %v, %v", done, err)
	}
	return c.FamilyID
}

func sessionsEnd(t *testing.T, w world) {
	_, _, err := w.logIn(t, "an older hash")
	wantKind(t, "a login by a password that is no longer the person's", err, fault.NotFound)
	first, firstSecret, err := w.logIn(t, "x")
	must(t, err)
	second, secondSecret, err := w.logIn(t, "x")
	must(t, err)
	if got, err := w.Session(t.Context(), w.tenant, firstSecret); err != nil || got != first {
		t.Errorf("the session is %+v, %v, want %+v", got, err, first)
	}
	_, err = w.Session(t.Context(), uuid.New(), firstSecret)
	wantKind(t, "in another tenant", err, fault.NotFound)
	ended, stays := w.familyOf(t, first.ID), w.familyOf(t, second.ID)
	code := w.codeOf(first.ID)
	must(t, w.AddCode(t.Context(), w.tenant, code))
	wantKind(t, "another person ends it", w.EndSession(t.Context(), identity.Caller{Tenant: w.tenant, User: uuid.New()}, first.ID, event(login.SessionEnded)), fault.NotFound)
	must(t, w.EndSession(t.Context(), identity.Caller{Tenant: w.tenant, User: w.user}, first.ID, event(login.SessionEnded)))
	wantKind(t, "again", w.EndSession(t.Context(), identity.Caller{Tenant: w.tenant, User: w.user}, first.ID, event(login.SessionEnded)), fault.NotFound)
	if w.lives(t, ended) || !w.lives(t, stays) {
		t.Error("the session's family lives, or another's does not")
	}
	if done, err := w.Exchange(t.Context(), w.tenant, w.exchange(code.Hash, nil)); err != nil || done {
		t.Errorf("the session's code: %v, %v", done, err)
	}
	code.Hash, code.FamilyID = secret(), uuid.New()
	wantKind(t, "a code of a session that has ended", w.AddCode(t.Context(), w.tenant, code), fault.NotFound)
	must(t, w.EndSessions(t.Context(), identity.Caller{Tenant: w.tenant, User: w.user}, second.ID, event(login.SessionsEnded)))
	if _, err := w.Session(t.Context(), w.tenant, secondSecret); err != nil || w.lives(t, stays) {
		t.Errorf("the session that stays: %v; its family lives: %v", err, w.lives(t, stays))
	}
	must(t, w.EndSessions(t.Context(), identity.Caller{Tenant: w.tenant, User: w.user}, uuid.Nil, event(login.SessionsEnded)))
	_, err = w.Session(t.Context(), w.tenant, secondSecret)
	wantKind(t, "after a logout everywhere", err, fault.NotFound)
}

func sessionsLeave(t *testing.T, w world) {
	who := identity.Caller{Tenant: w.tenant, User: w.user}
	begin := func() (login.Session, uuid.UUID, login.Exchange) {
		at, _, err := w.logIn(t, "x")
		must(t, err)
		c := w.codeOf(at.ID)
		must(t, w.AddCode(t.Context(), w.tenant, c))
		e := w.exchange(c.Hash, secret())
		e.Offline = true
		if done, err := w.Exchange(t.Context(), w.tenant, e); err != nil || !done {
			t.Fatalf("exchange: %v, %v", done, err)
		}
		return at, c.FamilyID, e
	}
	at, first, again := begin()
	next, _, err := w.logIn(t, "x")
	must(t, err)
	for _, ended := range []uuid.UUID{at.ID, next.ID} {
		must(t, w.EndSession(t.Context(), who, ended, event(login.SessionEnded)))
		if !w.lives(t, first) {
			t.Error("it ends with a session")
		}
	}
	if done, err := w.Exchange(t.Context(), w.tenant, again); err != nil || done || w.lives(t, first) {
		t.Errorf("its code again, after the session: %v, %v, or it lives", done, err)
	}
	_, second, _ := begin()
	must(t, w.EndSessions(t.Context(), who, uuid.Nil, event(login.SessionsEnded)))
	if w.lives(t, second) {
		t.Error("it outlives a logout everywhere")
	}
}

func sessionsExpire(t *testing.T, w world) {
	const left = 2 * time.Second
	begun := time.Now()
	at := login.Session{ID: uuid.New(), UserID: w.user, AuthenticatedAt: begun, ExpiresAt: begun.Add(left)}
	must(t, w.LoggedIn(t.Context(), w.tenant, secret(), at, "x", [][]byte{secret()}, event(login.LoginSucceeded)))
	other, _, err := w.logIn(t, "x")
	must(t, err)
	first, second, stays, offline := w.familyOf(t, at.ID), w.familyOf(t, at.ID), w.familyOf(t, other.ID), w.codeOf(at.ID)
	must(t, w.AddCode(t.Context(), w.tenant, offline))
	e := w.exchange(offline.Hash, secret())
	e.Offline = true
	if done, err := w.Exchange(t.Context(), w.tenant, e); err != nil || !done {
		t.Fatalf("exchange: %v, %v", done, err)
	}
	end := func(family uuid.UUID) {
		t.Helper()
		must(t, w.EndExpired(t.Context(), w.tenant, family, event(login.SessionEnded)))
	}
	if end(first); !w.lives(t, first) {
		t.Error("what a living session gave has ended")
	}
	time.Sleep(time.Until(begun.Add(left)))
	for _, family := range []uuid.UUID{uuid.New(), stays, offline.FamilyID} {
		if end(family); !w.lives(t, first) {
			t.Error("another session's family, or none's, ends it")
		}
	}
	for range 2 {
		end(first)
	}
	if w.lives(t, first) || w.lives(t, second) || !w.lives(t, stays) || !w.lives(t, offline.FamilyID) {
		t.Error("what an expired session gave lives, or something else does not")
	}
	w.told(t, login.SessionEnded, "user:"+w.user.String())
}

func sessionsIdle(t *testing.T, w world) {
	const left = 300 * time.Millisecond
	begun := time.Now()
	logIn := func(ago time.Duration) []byte {
		at, s := login.Session{ID: uuid.New(), UserID: w.user, AuthenticatedAt: begun.Add(-ago), ExpiresAt: begun.Add(time.Hour)}, secret()
		must(t, w.LoggedIn(t.Context(), w.tenant, s, at, "x", [][]byte{secret()}, event(login.LoginSucceeded)))
		return s
	}
	idle := func(what string, s []byte, want bool) {
		t.Helper()
		if got, err := w.Session(t.Context(), w.tenant, s); err != nil || got.Idle != want {
			t.Errorf("%s: idle %v, %v, want %v", what, got.Idle, err, want)
		}
	}
	used, unused := logIn(login.SessionIdle-left), logIn(login.SessionIdle-left)
	idle("just in time", used, false)
	time.Sleep(time.Until(begun.Add(left)))
	idle("after it was used", used, false)
	for range 2 {
		idle("unused", unused, true) // and looking at it does not wake it
	}
}

// Whoever has no answer asks again, under the same key.
func sessionsEndOnce(t *testing.T, w world) {
	at, _, err := w.logIn(t, "x")
	must(t, err)
	who := identity.Caller{Tenant: w.tenant, User: w.user, Request: identity.Request{Once: &identity.Once{Key: "k", Fingerprint: "f"}}}
	var all sync.WaitGroup
	for range 50 { // all at once
		all.Go(func() {
			if err := w.EndSession(t.Context(), who, at.ID, event(login.SessionEnded)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	must(t, w.EndSession(t.Context(), who, at.ID, event(login.SessionEnded)))
	who.Request.Once = &identity.Once{Key: "k", Fingerprint: "other"}
	wantKind(t, "another request under the key", w.EndSession(t.Context(), who, at.ID, event(login.SessionEnded)), fault.Invalid)
	wantKind(t, "of a link", w.AskVerification(t.Context(), who, uuid.New()), fault.Invalid)
	wantKind(t, "and of all", w.EndSessions(t.Context(), who, uuid.Nil, event(login.SessionsEnded)), fault.Invalid)
}

func sessionsFollow(t *testing.T, w world) {
	first, firstSecret, err := w.logIn(t, "x")
	must(t, err)
	family := w.familyOf(t, first.ID)
	second := first
	second.ID, second.Replaces = uuid.New(), first.ID
	refused := w.LoggedIn(t.Context(), w.tenant, secret(), second, "an older hash", [][]byte{secret()}, event(login.LoginSucceeded))
	if _, err := w.Session(t.Context(), w.tenant, firstSecret); !fault.Is(refused, fault.NotFound) || err != nil {
		t.Errorf("a login that is refused: %v; the session that it was to replace: %v", refused, err)
	}
	used, unused := w.codeOf(first.ID), w.codeOf(first.ID)
	for _, c := range []login.Code{used, unused} {
		must(t, w.AddCode(t.Context(), w.tenant, c))
	}
	exchange := func(what string, c login.Code, want bool) {
		t.Helper()
		if done, err := w.Exchange(t.Context(), w.tenant, w.exchange(c.Hash, secret())); err != nil || done != want || w.lives(t, c.FamilyID) != want {
			t.Errorf("%s: %v, %v, or its family does otherwise", what, done, err)
		}
	}
	exchange("a code", used, true)
	must(t, w.LoggedIn(t.Context(), w.tenant, secret(), second, "x", [][]byte{secret()}, event(login.LoginSucceeded)))
	if _, err := w.Session(t.Context(), w.tenant, firstSecret); !fault.Is(err, fault.NotFound) || !w.lives(t, family) {
		t.Errorf("the session that was replaced: %v; its family lives: %v", err, w.lives(t, family))
	}
	exchange("a code from before, again", used, false)
	exchange("another from before", unused, true)
	must(t, w.EndSession(t.Context(), identity.Caller{Tenant: w.tenant, User: w.user}, second.ID, event(login.SessionEnded)))
	if w.lives(t, family) || w.lives(t, unused.FamilyID) {
		t.Error("a family outlives the session that took the other's place")
	}
}

// Whatever order they come in, what a session gives while another takes its place
// ends with that one.
func sessionsFollowAmongExchanges(t *testing.T, w world) {
	first, _, err := w.logIn(t, "x")
	must(t, err)
	second := first
	second.ID, second.Replaces = uuid.New(), first.ID
	families := make([]uuid.UUID, crowd)
	var all sync.WaitGroup
	for i := range families {
		all.Go(func() {
			c := w.codeOf(first.ID)
			if err := w.AddCode(t.Context(), w.tenant, c); fault.Is(err, fault.NotFound) {
				return // the session has gone
			} else if err != nil {
				t.Error(err)
			}
			if done, err := w.Exchange(t.Context(), w.tenant, w.exchange(c.Hash, secret())); err != nil || !done {
				t.Errorf("exchange: %v, %v", done, err)
			}
			families[i] = c.FamilyID
		})
		if i == crowd/2 {
			all.Go(func() {
				if err := w.LoggedIn(t.Context(), w.tenant, secret(), second, "x", [][]byte{secret()}, event(login.LoginSucceeded)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	must(t, w.EndSession(t.Context(), identity.Caller{Tenant: w.tenant, User: w.user}, second.ID, event(login.SessionEnded)))
	for _, family := range families {
		if family != uuid.Nil && w.lives(t, family) {
			t.Error("a family outlives its session")
		}
	}
}

func sessionsAreListed(t *testing.T, w world) {
	var want, got []uuid.UUID
	for range 3 {
		s, _, err := w.logIn(t, "x")
		must(t, err)
		want = append(want, s.ID)
	}
	who := identity.Caller{Tenant: w.tenant, User: w.user}
	for r := (page.Request{Limit: 2}); ; {
		p, err := w.Sessions(t.Context(), who, r)
		must(t, err)
		for _, s := range p.Items {
			got = append(got, s.ID)
		}
		if p.Next == nil {
			break
		}
		r.After = *p.Next
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
	if other, err := w.Sessions(t.Context(), identity.Caller{Tenant: w.tenant, User: uuid.New()}, page.Request{Limit: 5}); err != nil || len(other.Items) != 0 {
		t.Errorf("another person sees %v, %v", other.Items, err)
	}
}
