package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2/clientcredentials"

	"bailiwick.dev/adapters/postgres/authdb"
)

const keyReload = 50 * time.Millisecond

func sealedKey(kid string, created time.Time, from *time.Time) authdb.SealedKey {
	return authdb.SealedKey{KID: kid, CreatedAt: created, ActiveFrom: from}
}

func TestKeyLife(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	old := *ago(time.Hour)
	care := keyCare{reload: 15 * time.Second, period: 24 * time.Hour}
	for what, c := range map[string]struct {
		keys   []authdb.SealedKey
		rotate bool
		put    string // kid and when it signs, as seen from now
		drop   string
	}{
		"at first there is an active key and a next one": {nil, false, "new 0s, new next", ""},
		"nothing is due":                       {[]authdb.SealedKey{sealedKey("a", old, ago(time.Hour)), sealedKey("b", old, nil)}, false, "", ""},
		"a period is over":                     {[]authdb.SealedKey{sealedKey("a", old, ago(25*time.Hour)), sealedKey("b", old, nil)}, false, "b 30s, new next", ""},
		"by command":                           {[]authdb.SealedKey{sealedKey("a", old, ago(time.Hour)), sealedKey("b", old, nil)}, true, "b 30s, new next", ""},
		"a next key that verifiers may lack":   {[]authdb.SealedKey{sealedKey("a", old, ago(time.Hour)), sealedKey("b", now, nil)}, true, "b 10m0s, new next", ""},
		"a rotation under way is not repeated": {[]authdb.SealedKey{sealedKey("a", old, ago(25*time.Hour)), sealedKey("b", old, ago(-time.Second)), sealedKey("c", now, nil)}, true, "", ""},
		"a retired key stays":                  {[]authdb.SealedKey{sealedKey("a", old, ago(9*time.Hour)), sealedKey("b", old, ago(time.Hour)), sealedKey("c", old, nil)}, false, "", ""},
		"until its last token has expired":     {[]authdb.SealedKey{sealedKey("a", old, ago(9*time.Hour)), sealedKey("b", old, ago(2*time.Hour)), sealedKey("c", old, nil)}, false, "", "a"},
	} {
		put, drop, err := care.renew(c.keys, now, c.rotate, func(at time.Time) (authdb.SealedKey, error) { return sealedKey("new", at, nil), nil })
		var told []string
		for _, k := range put {
			when := "next"
			if k.ActiveFrom != nil {
				when = k.ActiveFrom.Sub(now).String()
			}
			told = append(told, k.KID+" "+when)
		}
		if got := strings.Join(told, ", "); got != c.put || strings.Join(drop, ", ") != c.drop || err != nil {
			t.Errorf("%s: put %q, drop %q, %v; want %q and %q", what, got, drop, err, c.put, c.drop)
		}
	}
}

func (w *world) jwks(t *testing.T) jose.JSONWebKeySet {
	t.Helper()
	resp, err := http.Get(w.url + "/auth/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	return set
}

func kidOf(t *testing.T, token string) string {
	t.Helper()
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Headers[0].KeyID
}

func (w *world) machineToken(t *testing.T) string {
	t.Helper()
	c := clientcredentials.Config{ClientID: w.client.ID, ClientSecret: w.client.ClientSecret, TokenURL: w.url + "/auth/token", Scopes: []string{"tasks"}}
	tok, err := c.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tok.AccessToken
}

// replica is another process's view of the same keys.
func (w *world) replica(t *testing.T) *keyring {
	t.Helper()
	k, err := loadKeys(t.Context(), authdb.New(w.db.App, w.db.System), []byte("fedcba9876543210fedcba9876543210"), keyCare{reload: keyReload})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Keys rotate while tokens are made, verified and introspected: nothing fails,
// and what the old key signed is good until it expires.
func TestRotationUnderLoadFailsNoRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.machineToken(t)
	was := kidOf(t, before)
	if n := len(w.jwks(t).Keys); n != 2 {
		t.Fatalf("%d keys are published at first, want the active and the next", n)
	}
	var stop atomic.Bool
	var seen sync.Map
	var load sync.WaitGroup
	for range 4 {
		load.Go(func() {
			for !stop.Load() {
				token := w.machineToken(t)
				seen.Store(kidOf(t, token), true)
				if _, err := w.verifier.Verify(t.Context(), token); err != nil {
					t.Errorf("a fresh token: %v", err)
				}
				if !w.active(t, token) || !w.active(t, before) {
					t.Error("a token is not active during the rotation")
				}
			}
		})
	}
	w.db.Exec(t, "update signing_keys set created_at = created_at - interval '1 hour'") // long enough published
	command := w.replica(t)
	command.care.reload = time.Second // so that all three come before the key signs
	var replicas sync.WaitGroup
	for range 3 { // whoever comes second finds it begun
		replicas.Go(func() {
			if err := command.rotate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	replicas.Wait()
	for deadline := time.Now().Add(5 * time.Second); kidOf(t, w.machineToken(t)) == was; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the next key does not sign")
		}
	}
	time.Sleep(2 * keyReload)
	stop.Store(true)
	load.Wait()
	if n := len(w.jwks(t).Keys); n != 3 {
		t.Errorf("%d keys are published, want the retired, the active and the next", n)
	}
	if _, both := seen.Load(was); !both {
		t.Error("the load did not begin before the rotation")
	}
	fresh := w.replica(t)
	if typ, err := fresh.verify(before, &accessClaims{}); err != nil || typ != "at+jwt" || !w.active(t, before) {
		t.Errorf("a token of the retired key: %v", err)
	}
	w.db.Exec(t, "update signing_keys set active_from = active_from - interval '2 hours' where active_from is not null")
	if err := fresh.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.verify(before, &accessClaims{}); err == nil || len(fresh.set.Load().keys) != 2 {
		t.Error("a key is kept for longer than its tokens live")
	}
}

func TestKeysRotateBySchedule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	k := w.replica(t)
	k.care.period = time.Hour
	was := k.active().kid
	w.db.Exec(t, "update signing_keys set created_at = created_at - interval '2 hours', active_from = active_from - interval '2 hours'")
	if err := k.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * keyReload)
	if k.active().kid == was {
		t.Error("the period is over, and the key still signs")
	}
}

func TestKeysAreSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := loadKeys(t.Context(), authdb.New(w.db.App, w.db.System), []byte("another key of thirty-two bytes.."), keyCare{}); err == nil {
		t.Error("another key encryption key opens them")
	}
	resp, err := http.Get(w.url + "/auth/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if strings.Contains(string(body), `"d"`) {
		t.Error("the JWKS shows a private key")
	}
}

// Whatever kid a stranger sends leads to no key, file or query.
func TestForeignKeyIDsAreNotActive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := strings.SplitN(w.machineToken(t), ".", 2)[1]
	for _, header := range []string{`{"alg":"none"}`, `{"alg":"ES256","kid":"../../etc/passwd"}`, `{"alg":"ES256","kid":"' or 1=1"}`, `{"alg":"ES256","kid":"` + strings.Repeat("x", 10_000) + `"}`,
		`{"alg":"HS256","kid":"` + w.jwks(t).Keys[0].KeyID + `"}`, `{"alg":"ES256","jku":"http://127.0.0.1:1/"}`} {
		if status, body := w.post(t, "/auth/introspect", url.Values{"token": {b64(header) + "." + good}}); status != 200 || body["active"] != false || len(body) != 1 {
			t.Errorf("%.60s: %d %v", header, status, body)
		}
	}
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
