package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

// world is a tenant with one person and one client.
type world struct {
	Store
	tenant, user uuid.UUID
	client       string
}

const crowd = 50 // that do the same at once

func runGrants(t *testing.T, store Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, world){
		"ACodeIsForItsClientAndItsTime":    codes,
		"OneOfManyExchangesWins":           exchanges,
		"OneOfManyRefreshesRotates":        refreshes,
		"ARefreshJudgesBeforeItChanges":    judged,
		"AReplayEndsTheFamily":             replay,
		"RevocationsAmongRefreshesPrevail": revocations,
		"AFamilyEndsWithClientOrPerson":    ends,
		"AnAccessTokenIsRevokedByItself":   revokedAlone,
		"APushedRequestIsAnsweredOnce":     pushed,
		"PushedRequestsOfANetworkAreFew":   pushedByMany,
		"TokensOfOthersAreUnknown":         foreign,
		"ASessionEndsWithWhatItGave":       sessionsEnd,
		"AnOfflineFamilyOutlivesASession":  sessionsLeave,
		"AnExpiredSessionsFamiliesCanEnd":  sessionsExpire,
		"LivingSessionsAreListed":          sessionsAreListed,
		"ASessionTakesAnothersPlace":       sessionsFollow,
		"WhatIsGivenMeanwhileFollowsToo":   sessionsFollowAmongExchanges,
		"ASessionIsIdleUnlessItIsUsed":     sessionsIdle,
		"ASessionEndsOnceUnderAKey":        sessionsEndOnce,
		"ConsentsAddUpUntilTheyAreGone":    consents,
		"APasswordTakesAnothersPlace":      passwords,
		"AResetLinkWorksOnce":              resets,
		"AVerificationLinkWorksOnce":       verifications,
		"LinksOfOnePurposeSpareTheOther":   linksApart,
		"FailuresAreForTheirKeyAlone":      throttled,
		"DevicesAreKnownToTheirPerson":     devices,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, store))
		})
	}
}

func newWorld(t *testing.T, store Store) world {
	t.Helper()
	w := world{Store: store, tenant: uuid.New(), user: uuid.New()}
	w.client = add(t, store, identity.Caller{Tenant: w.tenant}).ID
	must(t, w.PutCredential(t.Context(), w.tenant, login.Credential{User: w.user, Email: "a@b.example", Hash: "x", Enabled: true}, event(login.PasswordSet)))
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func secret() []byte { return []byte(uuid.NewString()) }

func (w world) code(t *testing.T, life time.Duration) login.Code {
	t.Helper()
	c := login.Code{Hash: secret(), ClientID: w.client, UserID: w.user, FamilyID: uuid.New(), Request: json.RawMessage(`{}`), ExpiresAt: time.Now().Add(life)}
	must(t, w.AddCode(t.Context(), w.tenant, c))
	return c
}

func (w world) exchange(code, refresh []byte) login.Exchange {
	hour := time.Now().Add(time.Hour)
	return login.Exchange{Code: code, ClientID: w.client, Scopes: []string{"openid", "tasks"}, Refresh: refresh, RefreshExpires: hour, FamilyExpires: hour, Replayed: event(login.CodeReplayed)}
}

// family is what an exchanged code gives.
func (w world) family(t *testing.T) (uuid.UUID, []byte) {
	t.Helper()
	c, token := w.code(t, time.Minute), secret()
	if done, err := w.Exchange(t.Context(), w.tenant, w.exchange(c.Hash, token)); err != nil || !done {
		t.Fatalf("exchange: %v, %v", done, err)
	}
	return c.FamilyID, token
}

func (w world) rotation(token []byte) login.Rotation {
	return login.Rotation{Hash: token, Successor: append([]byte("after "), token...), ClientID: w.client, Expires: time.Now().Add(time.Hour), Grace: time.Hour, Replayed: event(login.RefreshReplayed)}
}

func (w world) refresh(t *testing.T, r login.Rotation) login.Outcome {
	t.Helper()
	_, outcome, err := w.Refresh(t.Context(), w.tenant, r)
	if err != nil {
		t.Error(err)
	}
	return outcome
}

func (w world) want(t *testing.T, what string, r login.Rotation, want login.Outcome) {
	t.Helper()
	if got := w.refresh(t, r); got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func (w world) lives(t *testing.T, family uuid.UUID) bool {
	t.Helper()
	alive, err := w.Living(t.Context(), w.tenant, family, "some jti")
	must(t, err)
	return alive
}

// told wants an action once in the audit trail, and of whom.
func (w world) told(t *testing.T, action string, subject string) {
	t.Helper()
	all, err := w.Audit(t.Context(), identity.Caller{Tenant: w.tenant}, page.Request{Limit: 100})
	must(t, err)
	n := 0
	for _, e := range all.Items {
		if e.Action == action {
			if n++; e.Subject != subject {
				t.Errorf("%s concerns %q, want %q", action, e.Subject, subject)
			}
		}
	}
	if n != 1 {
		t.Errorf("%s is told %d times: %+v", action, n, all.Items)
	}
}

func codes(t *testing.T, w world) {
	c := w.code(t, time.Minute)
	if got, err := w.Code(t.Context(), w.tenant, c.Hash); err != nil || got.Used || got.ClientID != w.client || got.UserID != w.user || got.FamilyID != c.FamilyID {
		t.Errorf("a fresh code: %+v, %v", got, err)
	}
	late := w.code(t, -time.Second)
	_, err := w.Code(t.Context(), w.tenant, late.Hash)
	wantKind(t, "a code after its life", err, fault.NotFound)
	for what, e := range map[string]login.Exchange{"late": w.exchange(late.Hash, nil), "unknown": w.exchange(secret(), nil), "another's": {Code: c.Hash, ClientID: "another", FamilyExpires: c.ExpiresAt}} {
		if done, err := w.Exchange(t.Context(), w.tenant, e); done || err != nil {
			t.Errorf("%s: %v, %v", what, done, err)
		}
	}
	if done, err := w.Exchange(t.Context(), w.tenant, w.exchange(c.Hash, nil)); !done || err != nil || !w.lives(t, c.FamilyID) {
		t.Errorf("without a refresh token: %v, %v", done, err)
	}
}

// at lets many do the same at once and counts what became of it.
func at(do func() string) map[string]int {
	var mu sync.Mutex
	seen := map[string]int{}
	var all sync.WaitGroup
	for range crowd {
		all.Go(func() {
			got := do()
			mu.Lock()
			defer mu.Unlock()
			seen[got]++
		})
	}
	all.Wait()
	return seen
}

// One gets tokens, and since the code came again they are dead.
func exchanges(t *testing.T, w world) {
	c := w.code(t, time.Minute)
	seen := at(func() string {
		done, err := w.Exchange(t.Context(), w.tenant, w.exchange(c.Hash, secret()))
		if err != nil {
			return err.Error()
		}
		return map[bool]string{true: "done", false: "not"}[done]
	})
	if seen["done"] != 1 || seen["not"] != crowd-1 || w.lives(t, c.FamilyID) {
		t.Errorf("%v, the family lives: %v; want one done and none alive", seen, w.lives(t, c.FamilyID))
	}
	w.told(t, login.CodeReplayed, "user:"+w.user.String())
}

// One rotates, the rest are given the same successor, which works.
func refreshes(t *testing.T, w world) {
	_, token := w.family(t)
	seen := at(func() string { return string(w.refresh(t, w.rotation(token))) })
	if seen[string(login.Rotated)] != 1 || seen[string(login.Repeated)] != crowd-1 {
		t.Errorf("%v, want one rotated and the rest repeated", seen)
	}
	w.want(t, "the successor", w.rotation(w.rotation(token).Successor), login.Rotated)
}

func judged(t *testing.T, w world) {
	_, token := w.family(t)
	wide, other := w.rotation(token), w.rotation(token)
	wide.Scopes, other.ClientID = []string{"openid", "reports"}, "another"
	w.want(t, "a wider scope", wide, login.TooWide)
	w.want(t, "another client", other, login.Refused)
	narrow := w.rotation(token)
	narrow.Scopes, narrow.Audience = []string{"tasks"}, []string{"https://api.example/tasks"}
	w.want(t, "less than there is", narrow, login.Rotated)
	w.want(t, "a wider scope of a used one", wide, login.TooWide)
	w.want(t, "another client with a used one", other, login.Refused)
	w.want(t, "an unknown token", w.rotation(secret()), login.Refused)
}

func replay(t *testing.T, w world) {
	id, token := w.family(t)
	w.want(t, "the first use", w.rotation(token), login.Rotated)
	other := w.rotation(token)
	other.Grace, other.ClientID = 0, "another"
	w.want(t, "another client's copy", other, login.Refused)
	if !w.lives(t, id) {
		t.Fatal("another client ended the family")
	}
	late := w.rotation(token)
	late.Grace = 0
	w.want(t, "a copy", late, login.Replayed)
	w.want(t, "a copy again", late, login.Refused)
	w.want(t, "the successor", w.rotation(w.rotation(token).Successor), login.Refused)
	if w.lives(t, id) {
		t.Error("the family lives after a replay")
	}
	w.told(t, login.RefreshReplayed, "user:"+w.user.String())
	id, token = w.family(t)
	w.want(t, "the first use", w.rotation(token), login.Rotated)
	w.want(t, "a repetition", w.rotation(token), login.Repeated)
	w.want(t, "the successor", w.rotation(w.rotation(token).Successor), login.Rotated)
	w.want(t, "a copy whose successor was used", w.rotation(token), login.Replayed)
	if w.lives(t, id) {
		t.Error("the family lives after a replay within the grace period")
	}
}

// Whatever order they come in, after a revocation nothing of the family works.
func revocations(t *testing.T, w world) {
	id, token := w.family(t)
	seen := at(func() string {
		outcome := w.refresh(t, w.rotation(token))
		if err := w.RevokeFamily(t.Context(), w.tenant, id, event(login.TokenRevoked)); err != nil {
			return err.Error()
		}
		return string(outcome)
	})
	if seen[string(login.Rotated)] != 1 || seen[string(login.Rotated)]+seen[string(login.Repeated)]+seen[string(login.Refused)] != crowd {
		t.Errorf("%v, want one rotated, the rest repeated or refused", seen)
	}
	w.want(t, "the successor", w.rotation(w.rotation(token).Successor), login.Refused)
	if _, _, err := w.RefreshToken(t.Context(), w.tenant, w.rotation(token).Successor); !fault.Is(err, fault.NotFound) || w.lives(t, id) {
		t.Errorf("a token of a revoked family: %v", err)
	}
}

func ends(t *testing.T, w world) {
	id, token := w.family(t)
	if f, expires, err := w.RefreshToken(t.Context(), w.tenant, token); err != nil || f.ID != id || f.UserID != w.user || !expires.After(time.Now()) {
		t.Fatalf("a fresh token: %+v until %v, %v", f, expires, err)
	}
	who := identity.Caller{Tenant: w.tenant}
	c, err := w.Client(t.Context(), who, w.client)
	must(t, err)
	for _, enabled := range []bool{false, true} {
		c.Enabled, c.Version = enabled, c.Version+1
		_, err := w.ChangeClient(t.Context(), who, c, c)
		must(t, err)
		if _, _, err := w.RefreshToken(t.Context(), w.tenant, token); (err == nil) != enabled {
			t.Errorf("the token of a client that is enabled (%v): %v", enabled, err)
		}
	}
	must(t, w.PutCredential(t.Context(), w.tenant, login.Credential{User: w.user, Email: "a@b.example", Hash: "late"}, event(login.PasswordSet)))
	if !w.lives(t, id) {
		t.Error("a closed credential that came late ended what an open one gave")
	}
	must(t, w.DisableCredential(t.Context(), w.tenant, w.user, event(login.PersonDisabled)))
	w.want(t, "the token of a disabled person", w.rotation(token), login.Refused)
	if w.lives(t, id) {
		t.Error("the family of a disabled person lives")
	}
	code := w.code(t, time.Minute)
	if done, err := w.Exchange(t.Context(), w.tenant, w.exchange(code.Hash, nil)); done || err != nil {
		t.Errorf("the code of a disabled person: %v, %v", done, err)
	}
}

func revokedAlone(t *testing.T, w world) {
	id, _ := w.family(t)
	for range 2 {
		must(t, w.RevokeToken(t.Context(), w.tenant, "this one", time.Now().Add(time.Hour), event(login.TokenRevoked)))
	}
	w.told(t, login.TokenRevoked, "")
	for _, family := range []uuid.UUID{id, uuid.Nil} {
		if alive, err := w.Living(t.Context(), w.tenant, family, "this one"); err != nil || alive {
			t.Errorf("a revoked token: %v, %v", alive, err)
		}
		if alive, err := w.Living(t.Context(), w.tenant, family, "another"); err != nil || !alive {
			t.Errorf("another one: %v, %v", alive, err)
		}
	}
}

func pushed(t *testing.T, w world) {
	p := login.PushedRequest{Hash: secret(), ClientID: w.client, Request: json.RawMessage(`{"scope":["openid"]}`), ExpiresAt: time.Now().Add(time.Minute)}
	must(t, w.AddRequest(t.Context(), w.tenant, p))
	for range 2 { // a page may be loaded again
		if got, err := w.Request(t.Context(), w.tenant, p.Hash); err != nil || got.ClientID != w.client {
			t.Errorf("%+v, %v", got, err)
		}
	}
	seen := at(func() string {
		err := w.AddCode(t.Context(), w.tenant, login.Code{Hash: secret(), ClientID: w.client, UserID: w.user, FamilyID: uuid.New(), Request: json.RawMessage(`{}`), ExpiresAt: time.Now().Add(time.Minute), Pushed: p.Hash})
		return map[bool]string{true: "gone", false: fmt.Sprint(err)}[fault.Is(err, fault.NotFound)]
	})
	if want := map[string]int{"<nil>": 1, "gone": crowd - 1}; !maps.Equal(seen, want) {
		t.Errorf("many answers to one request: %v, want %v", seen, want)
	}
	_, err := w.Request(t.Context(), w.tenant, p.Hash)
	wantKind(t, "an answered request", err, fault.NotFound)
	late := p
	late.Hash, late.ExpiresAt = secret(), time.Now().Add(-time.Second)
	must(t, w.AddRequest(t.Context(), w.tenant, late))
	_, err = w.Request(t.Context(), w.tenant, late.Hash)
	wantKind(t, "a request after its life", err, fault.NotFound)
}

func pushedByMany(t *testing.T, w world) {
	push := func(network string, life time.Duration) error {
		return w.AddRequest(t.Context(), w.tenant, login.PushedRequest{Hash: secret(), ClientID: w.client, Request: json.RawMessage(`{}`), ExpiresAt: time.Now().Add(life), Network: network})
	}
	must(t, push("192.0.2.0/24", -time.Second))
	for range login.MostRequests {
		must(t, push("192.0.2.0/24", time.Minute))
	}
	wantKind(t, "one more", push("192.0.2.0/24", time.Minute), fault.Throttled)
	must(t, push("198.51.100.0/24", time.Minute))
	must(t, push("", time.Minute))
}

func foreign(t *testing.T, w world) {
	id, token := w.family(t)
	other := newWorld(t, w.Store)
	if alive, err := w.Living(t.Context(), other.tenant, id, "x"); err != nil || alive {
		t.Errorf("another tenant's family: %v, %v", alive, err)
	}
	if done, err := w.RevokeRefresh(t.Context(), w.tenant, "another", token, event(login.TokenRevoked)); err != nil || done {
		t.Errorf("another client's revocation: %v, %v", done, err)
	}
	must(t, w.RevokeFamily(t.Context(), other.tenant, id, event(login.TokenRevoked)))
	if !w.lives(t, id) {
		t.Error("another tenant ended the family")
	}
	if done, err := w.RevokeRefresh(t.Context(), w.tenant, w.client, token, event(login.TokenRevoked)); err != nil || !done || w.lives(t, id) {
		t.Errorf("one's own revocation: %v, %v", done, err)
	}
	w.told(t, login.TokenRevoked, "user:"+w.user.String())
}
