package login_test

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/login/fake"
	"bailiwick.dev/domain/patch"
)

func TestRedirectIsExactButForALoopbackPort(t *testing.T) {
	t.Parallel()
	c := login.Client{RedirectURIs: []string{"https://app.example/cb", "http://127.0.0.1/callback", "http://[::1]/callback", "http://localhost:3000/callback", "com.example.app:/cb"}}
	for raw, want := range map[string]bool{
		"https://app.example/cb": true, "http://127.0.0.1/callback": true, "http://127.0.0.1:45871/callback": true, "http://[::1]:9/callback": true,
		"http://localhost:1/callback": true, "com.example.app:/cb": true,
		"https://app.example:443/cb": false, "https://app.example/cb/": false, "https://APP.example/cb": false, "https://app.example/x/../cb": false,
		"http://127.0.0.1:1/callback?x": false, "http://127.0.0.1:1/callback#f": false, "http://u@127.0.0.1:1/callback": false,
		"https://127.0.0.1:1/callback": false, "http://127.0.0.1:1@evil.example/callback": false, "http://127.0.0.2:1/callback": false,
		"http://127.0.0.1:0/callback": false, "http://127.0.0.1:99999/callback": false, "http://[::1]:65536/callback": false, "http://localhost:00/callback": false,
		"http://127.0.0.1:65535/callback": true, "http://127.0.0.1:1:2/callback": false, "http://localhost.evil.example:1/callback": false, "": false, "/cb": false,
	} {
		if got := c.Redirect(raw); got != want {
			t.Errorf("Redirect(%q) = %v, want %v", raw, got, want)
		}
	}
}

// Whatever is accepted is registered, or a registered loopback URI with another port.
func FuzzRedirect(f *testing.F) {
	for _, s := range []string{"http://127.0.0.1:1/callback", "http://127.0.0.1:1@evil/callback", "http://[::1]:80/callback"} {
		f.Add(s)
	}
	c := login.Client{RedirectURIs: []string{"http://127.0.0.1/callback", "https://app.example/cb"}}
	f.Fuzz(func(t *testing.T, raw string) {
		if !c.Redirect(raw) || raw == "https://app.example/cb" {
			return
		}
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" || u.Path != "/callback" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			t.Errorf("accepted %q", raw)
		}
	})
}

func TestClientDraftsAreJudged(t *testing.T) {
	t.Parallel()
	c, err := login.ClientDraft{Name: "c", Type: login.Confidential}.Client("id", time.Now())
	if err != nil || len(c.GrantTypes) != 1 || !c.Has(login.ClientCredentials) || len(c.Scopes) != len(login.Scopes()) {
		t.Errorf("a machine's client: %+v, %v", c, err)
	}
	if c, err := (login.ClientDraft{Name: "c", Type: login.Confidential, Scopes: []string{}}).Client("id", time.Now()); err != nil || len(c.Scopes) != 0 {
		t.Errorf("no scopes: %v, %v", c.Scopes, err)
	}
	for what, d := range map[string]login.ClientDraft{
		"no grants":             {Name: "c", Type: login.Confidential, GrantTypes: []string{}},
		"no redirect":           {Name: "c", Type: login.Public},
		"public with a secret":  {Name: "c", Type: login.Public, RedirectURIs: []string{"https://a.example/"}, GrantTypes: []string{login.ClientCredentials}},
		"plain http":            {Name: "c", Type: login.Public, RedirectURIs: []string{"http://a.example/"}},
		"a fragment":            {Name: "c", Type: login.Public, RedirectURIs: []string{"https://a.example/#"}},
		"javascript":            {Name: "c", Type: login.Public, RedirectURIs: []string{"javascript:alert(1)"}},
		"the platform's scope":  {Name: "c", Type: login.Confidential, Scopes: []string{"platform"}},
		"no such grant":         {Name: "c", Type: login.Confidential, GrantTypes: []string{"password"}},
		"refresh without login": {Name: "c", Type: login.Confidential, GrantTypes: []string{login.RefreshToken}},
		"no name":               {Name: " ", Type: login.Confidential},
	} {
		if _, err := d.Client("id", time.Now()); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The page of consent shows a client's name amid its own text.
func TestNamesReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"Müller & Söhne": true, "שעות": true, "کار\u200cبرگ": true, "🦉 \U0001f468\u200d\U0001f469": true, strings.Repeat("é", 200): true,
		"a\nb": false, "a\x00b": false, "a\x7fb": false, "a\u0085b": false, "a\u2028b": false, "a\u2029b": false, "a\u061cb": false, "a\u200eb": false, "a\u200fb": false,
		"a\u202ab": false, "a\u202eb": false, "a\u2066b": false, "a\u2069b": false, "a\xffb": false, strings.Repeat("é", 201): false,
	} {
		c, err := login.ClientDraft{Name: name, Type: login.Confidential}.Client("id", time.Now())
		var f *fault.Error
		if errors.As(err, &f); (err == nil) != good || !good && f.Fields[0].Pointer != "/name" {
			t.Errorf("%q: %v, %v, want good: %v", name, c.Name, err, good)
		}
	}
}

// What a list names twice is kept once, and pointers count what was sent.
func TestClientsListsAreSets(t *testing.T) {
	t.Parallel()
	twice := func(s string, more ...string) []string { return append([]string{s, s}, more...) }
	d := login.ClientDraft{Name: "c", Type: login.Public, RedirectURIs: twice("https://b.example/", "https://a.example/"), PostLogoutRedirectURIs: twice("https://a.example/"),
		WebOrigins: twice("https://a.example"), GrantTypes: twice(login.AuthorizationCode), Scopes: twice("tasks", "openid", "tasks")}
	c, err := d.Client("id", time.Now())
	if err != nil || !slices.Equal(c.RedirectURIs, []string{"https://b.example/", "https://a.example/"}) || len(c.PostLogoutRedirectURIs)+len(c.WebOrigins)+len(c.GrantTypes) != 3 || !slices.Equal(c.Scopes, []string{"tasks", "openid"}) {
		t.Errorf("%+v, %v", c, err)
	}
	d.RedirectURIs = twice("https://b.example/", "http://a.example/")
	var f *fault.Error
	if _, err := d.Client("id", time.Now()); !errors.As(err, &f) || f.Fields[0].Pointer != "/redirect_uris/2" {
		t.Errorf("after two that are one: %v", err)
	}
	store, who := &fake.Store{}, identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	s := login.Service{Store: store, Gate: accessfake.Gate{}, Roles: weak{}}
	if c, err = s.CreateClient(t.Context(), who, login.ClientDraft{Name: "c", Type: login.Confidential}); err == nil {
		c, err = s.ChangeClient(t.Context(), who, c.ID, c.Version, login.ClientPatch{Scopes: patch.Field[[]string]{Set: true, To: twice("auth")}})
	}
	if err != nil || !slices.Equal(c.Scopes, []string{"auth"}) {
		t.Errorf("a change: %v, %v", c.Scopes, err)
	}
}

func TestRedirectURIsCanBeRight(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(login.RedirectPattern)
	for raw, good := range map[string]bool{
		"https://app.example/cb": true, "https://app.example:65535/cb?x=1&codes=2": true, "https://a-b.c_d.example./cb": true, "https://192.0.2.7/cb": true, "https://[2001:db8::1]:8443/cb": true,
		"com.example.app:/cb": true, "com.example.app://oauth_cb/x": true, "http://localhost:3000/cb": true, "https://xn--bcher-kva.example/cb": true,
		"https://a;b.example/cb": false, "https://a,b.example/cb": false, "https://a'b.example/cb": false, "https://a(b).example/cb": false, "https://*.example/cb": false, "https://a..b/cb": false,
		"https://-a.example/cb": false, "https://bücher.example/cb": false, "https://a%3Bb.example/cb": false, "https://b%C3%BCcher.example/cb": false, "com.example.app://a;b/cb": false, "https://:443/cb": false,
		"https://app.example:65536/cb": false, "https://app.example:0/cb": false, "https://app.example:/cb": false, "https://app.example:99999999999999999999/cb": false, "http://localhost:0/cb": false,
		"https://app.example:0443/cb": false, "http://localhost:080/cb": false, "http://LOCALHOST/cb": false, "https://[::::]/cb": false, "https://[1:2]/cb": false, "https://[fe80::1%25eth0]/cb": false,
		"com.example.app:": false, "com.example.app:?x=1": false, "com.example.app://": false, "com..app:/cb": false, "com.:/cb": false, ".com:/cb": false, "app:/cb": false,
		"com.example.app:/": true, "com.example.app:cb": true, "com.7example.app-1:/cb": true, "https://a.example/" + strings.Repeat("ü", 1982): true, "https://a.example/" + strings.Repeat("ü", 1983): false,
	} {
		d := login.ClientDraft{Name: "c", Type: login.Public, RedirectURIs: []string{"https://a.example/", raw}}
		_, err := d.Client("id", time.Now())
		var f *fault.Error
		if errors.As(err, &f); (err == nil) != good || !good && f.Fields[0].Pointer != "/redirect_uris/1" {
			t.Errorf("%q: %v, want good: %v", raw, err, good)
		}
		if good && !pattern.MatchString(raw) {
			t.Errorf("%q: a schema refuses it", raw)
		}
		d.RedirectURIs, d.PostLogoutRedirectURIs = d.RedirectURIs[:1], []string{raw}
		if _, err := d.Client("id", time.Now()); (err == nil) != good {
			t.Errorf("%q after a logout: %v, want good: %v", raw, err, good)
		}
	}
	for _, query := range []string{"code=1", "a=b&state", "iss=x", "error=", "c%6fde=1", "a=b;code=1", "error_description=x", "%zz"} {
		var f *fault.Error
		if _, err := (login.ClientDraft{Name: "c", Type: login.Public, RedirectURIs: []string{"https://a.example/?" + query}}).Client("id", time.Now()); !errors.As(err, &f) || f.Fields[0].Pointer != "/redirect_uris/0" {
			t.Errorf("the query %s: %v", query, err)
		}
	}
}

// Origins are compared as browsers write them, so that only such are taken.
func TestWebOriginsAreOrigins(t *testing.T) {
	t.Parallel()
	pattern := regexp.MustCompile(login.OriginPattern)
	for origin, good := range map[string]bool{
		"https://app.example": true, "https://app.example:8443": true, "http://localhost:3000": true, "http://127.0.0.1:5173": true, "http://[::1]:80a": false,
		"https://xn--bcher-kva.example": true, "http://[::1]:3000": true,
		"https://app.example/": false, "https://app.example/x": false, "https://app.example?x": false, "https://App.example": false, "https://app.example:443": false, "http://localhost:80": false,
		"http://app.example": false, "*": false, "https://*.app.example": false, "null": false, "": false, "https://": false, "https://u@app.example": false, "https://app.example:": false,
		"ftp://app.example": false, "https://app.example https://other.example": false,
		"https://a;b.example": false, "https://app.example:65536": false, "https://app.example:0": false,
		"https://app.example:08443": false, "http://localhost:03000": false, "http://LOCALHOST:3000": false, "https://[2001:db8::1]": true, "https://[2001:db8::1]:8443": true, "https://192.0.2.7": true,
		"https://[2001:db8:0:0::1]": false, "https://[2001:0db8::1]": false, "https://[2001:DB8::1]": false, "https://[::ffff:192.0.2.7]": false, "https://[::::]": false, "https://[fe80::1%25eth0]": false,
	} {
		_, err := login.ClientDraft{Name: "c", Type: login.Public, RedirectURIs: []string{"https://a.example/"}, WebOrigins: []string{origin}}.Client("id", time.Now())
		if (err == nil) != good || good && !pattern.MatchString(origin) {
			t.Errorf("%q: %v, want good: %v", origin, err, good)
		}
	}
}

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	for password, good := range map[string]bool{
		"correct horse": true, strings.Repeat("ß", 64): true, strings.Repeat("x", 128): true, "пароль длинный": true,
		"6038145729013867254409187365201948573610": true, strings.Repeat("🦉🌙", 10): true, "#_-!!@@.%%&*": true, "12345678": false, "12345678!": false, "77777777": false,
		"short": false, strings.Repeat("x", 129): false, "password1": false, "Pass-word-1": false, "ada.lovelace42": false, "ada.lovelace@acme.example": false, "Ada.Lovelace@ACME.example": false, "ada.lovelace acme.example": false, "abc\xff12345": false,
	} {
		if err := login.CheckPassword(password, login.Credential{Email: "ada.lovelace@acme.example"}); (err == nil) != good {
			t.Errorf("%q: %v", password, err)
		}
	}
	for password, good := range map[string]bool{
		"al@acme.example": false, "AL@ACME.EXAMPLE": false, "al@acme.example1!": false, "@acme.example": false, "Acme.Example2026": false, "al@acme.example is mine": true, "alphabetical": true,
	} {
		if err := login.CheckPassword(password, login.Credential{Email: "Al@Acme.example"}); (err == nil) != good {
			t.Errorf("%q of an address with a short local part: %v", password, err)
		}
	}
	grace := login.Credential{Email: "gh@mail.example", Name: "Grace Brewster Hopper", Organisation: "Löwen & Söhne KG"}
	for password, good := range map[string]bool{
		"bailiwick": false, "Bailiwick2026!": false, "12bailiwick": false, "B-a-i-l-i-w-i-c-k": false, "bailiwicks are wide": true,
		"Grace Brewster Hopper": false, "gracehopper": false, "Hopper1906": false, "hopper, grace": false, "graceful hoppers": true, "hopper and grace": true,
		"Löwen & Söhne KG": false, "löwensöhne": false, "LÖWENSÖHNEKG1": false, "söhne+löwen=2026": false, "Söhne der Löwen": true, "Löwen Bailiwick": false,
	} {
		if err := login.CheckPassword(password, grace); (err == nil) != good {
			t.Errorf("%q of %s at %s: %v", password, grace.Name, grace.Organisation, err)
		}
	}
}

// slowHasher compares while something else happens; a hash is the password.
type slowHasher struct {
	login.Hasher
	meanwhile func()
}

func (h slowHasher) Verify(_ context.Context, hash, password string) (bool, error) {
	h.meanwhile()
	return hash == password, nil
}

func (slowHasher) Hash(_ context.Context, password string) (string, error) { return password, nil }

// Of a crowd of guesses at the current password the right one is as wrong as the rest.
func TestCrowdsDoNotGuessTheCurrentPassword(t *testing.T) {
	t.Parallel()
	const current, next = "correct horse battery staple", "a long sentence is easy to keep"
	store, who := &fake.Store{}, identity.Caller{Tenant: uuid.New(), User: uuid.New()}
	if err := store.PutCredential(t.Context(), who.Tenant, login.Credential{User: who.User, Email: "a@b.example", Hash: current, Enabled: true}, login.Event{}); err != nil {
		t.Fatal(err)
	}
	wrong := func() error {
		s := login.Service{Store: store, Hasher: slowHasher{meanwhile: func() {}}}
		return s.ChangePassword(t.Context(), who, "wrong", next, uuid.Nil, login.Event{})
	}
	s := login.Service{Store: store, Hasher: slowHasher{meanwhile: func() {
		for range 6 {
			if err := wrong(); !fault.Is(err, fault.Invalid) {
				t.Error(err)
			}
		}
	}}}
	got := s.ChangePassword(t.Context(), who, current, next, uuid.Nil, login.Event{})
	if c, err := store.Credential(t.Context(), who.Tenant, who.User); err != nil || c.Hash != current || !fault.Is(got, fault.Invalid) {
		t.Errorf("the right one: %v; the password is %q, %v", got, c.Hash, err)
	}
	if err := wrong(); !fault.Is(err, fault.Throttled) || fault.As(err).RetryAfter <= time.Second {
		t.Errorf("after it: %v, want a wait of two seconds, as after seven failures", err)
	}
}

func TestDelayGrowsAndIsBounded(t *testing.T) {
	t.Parallel()
	tenant := uuid.New()
	failures := login.Failures(tenant, "ada@acme.example", "192.0.2.7")
	account, network := failures[0], failures[1]
	for n, want := range map[int]time.Duration{0: 0, 5: 0, 6: time.Second, 7: 2 * time.Second, 10: 16 * time.Second, 30: 15 * time.Minute, 1 << 30: 15 * time.Minute} {
		if got := account.Delay(n); got != want {
			t.Errorf("Delay(%d) = %v, want %v", n, got, want)
		}
	}
	if network.Delay(50) != 0 || network.Delay(51) != time.Second || network.Delay(1<<30) != time.Minute {
		t.Error("a network is slowed as an account is")
	}
	if all := failures[2]; all.Delay(20) != 0 || all.Delay(21) != time.Second || all.Delay(1<<30) != time.Minute {
		t.Error("an account over all networks is slowed as one network is")
	}
	same, elsewhere := login.Failures(tenant, "ada@acme.example", "192.0.2.99"), login.Failures(tenant, "ada@acme.example", "198.51.100.1")
	if !bytes.Equal(same[0].Key, account.Key) || bytes.Equal(elsewhere[0].Key, account.Key) || bytes.Equal(elsewhere[1].Key, network.Key) {
		t.Error("what fails in one network counts in another, or not in its own")
	}
	if !bytes.Equal(elsewhere[2].Key, failures[2].Key) {
		t.Error("many networks evade the account's count")
	}
}

func TestNetworkIsAPrefix(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"192.0.2.77": "192.0.2.0/24", "::ffff:192.0.2.77": "192.0.2.0/24", "2001:db8:1:203::1": "2001:db8:1::/48", "x": "unknown"} {
		if got := login.Network(address); got != want {
			t.Errorf("Network(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestBrowsersAreToldInAFewWords(t *testing.T) {
	t.Parallel()
	const chrome = "Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0":                                                                         "Firefox on Linux",
		strings.Replace(chrome, "%s", "Windows NT 10.0; Win64; x64", 1):                                                                                  "Chrome on Windows",
		strings.Replace(chrome, "%s", "X11; CrOS x86_64 14541.0.0", 1):                                                                                   "Chrome on ChromeOS",
		strings.Replace(chrome, "%s", "Windows NT 10.0; Win64; x64", 1) + " Edg/141.0.0.0":                                                               "Edge on Windows",
		strings.Replace(chrome, "%s", "Linux; Android 10; K", 1) + " EdgA/141.0.0.0":                                                                     "Edge on Android",
		strings.Replace(chrome, "%s", "Macintosh; Intel Mac OS X 10_15_7", 1) + " OPR/122.0.0.0":                                                         "Opera on a Mac",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":            "Samsung Internet on Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15":                          "Safari on a Mac",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1":        "Safari on an iPhone",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.7390.96 Mobile/15E148 Safari/604.1": "Chrome on an iPhone",
		"Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/144.0 Mobile/15E148 Safari/605.1.15":               "Firefox on an iPad",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X)":                                                                                         "A browser on an iPhone", "Something Firefox/1": "Firefox", "curl/8.14.1": "An unknown browser", "": "An unknown browser",
	} {
		if got := (login.Session{UserAgent: agent}).Browser(); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}
