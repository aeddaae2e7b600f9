// Package login says who can get tokens: OAuth clients, people's credentials,
// and the rules of passwords, redirects and throttling.
package login

import (
	"cmp"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// The types of client (RFC 6749, section 2.1).
const (
	Public       = "public"
	Confidential = "confidential"
)

// The grant types that a client can use.
const (
	AuthorizationCode = "authorization_code"
	RefreshToken      = "refresh_token"
	ClientCredentials = "client_credentials"
	Password          = "password" // of first-party clients alone
)

var (
	serviceScopes = []string{"auth", "users", "authz", "tasks", "reports"}
	personScopes  = []string{"openid", "profile", "email", "offline_access"}
)

// Services returns the platform's services, each of which is a scope.
func Services() []string { return slices.Clone(serviceScopes) }

// Scopes returns every scope that a client can be given.
func Scopes() []string { return append(slices.Clone(personScopes), serviceScopes...) }

// OfPersons reports whether a scope concerns a person: no machine has it for itself.
func OfPersons(scope string) bool { return slices.Contains(personScopes, scope) }

// How a client proves itself (RFC 7591, section 2). Who has a secret may send it
// either way: libraries differ in what they try first.
const (
	AuthNone       = "none"
	AuthBasic      = "client_secret_basic"
	AuthPost       = "client_secret_post"
	AuthPrivateKey = "private_key_jwt"
)

// Client is a program that can get tokens of one tenant.
type Client struct {
	ID                     string            `json:"client_id" doc:"The client identifier" example:"0199a1b2-c3d4-7e5f-8a6b-000000000003"`
	Name                   string            `json:"name" doc:"As people see it" example:"Time sheets"`
	Type                   string            `json:"type" enum:"public,confidential" doc:"Whether it can keep a secret (RFC 6749, section 2.1)" example:"confidential"`
	RedirectURIs           []string          `json:"redirect_uris" nullable:"false" doc:"Compared as they are; the port of a loopback address is free" example:"[\"https://app.acme.example/callback\"]"`
	PostLogoutRedirectURIs []string          `json:"post_logout_redirect_uris" nullable:"false" doc:"Where a logout may lead" example:"[\"https://app.acme.example/\"]"`
	WebOrigins             []string          `json:"web_origins" nullable:"false" doc:"From which browsers may call with its tokens (CORS)" example:"[\"https://app.acme.example\"]"`
	GrantTypes             []string          `json:"grant_types" nullable:"false" doc:"How it gets tokens" example:"[\"authorization_code\",\"refresh_token\"]"`
	Scopes                 []string          `json:"scopes" nullable:"false" doc:"What its tokens may be used for" example:"[\"openid\",\"tasks\"]"`
	AuthMethod             string            `json:"token_endpoint_auth_method" enum:"none,client_secret_basic,client_secret_post,private_key_jwt" doc:"How it proves itself; a secret may be sent either way" example:"client_secret_basic"`
	JWKS                   *KeySet           `json:"jwks,omitempty" doc:"The public keys for private_key_jwt"`
	Enabled                bool              `json:"enabled" doc:"Whether it gets tokens at all" example:"true"`
	Ended                  *time.Time        `json:"-"` // until when its access tokens are revoked, with it or with its tenant; only who finds a client of any tenant is told
	FirstParty             bool              `json:"first_party" doc:"Whether it is the platform operator's own, which the operator decides" example:"false"`
	PreviousUntil          *time.Time        `json:"previous_secret_expires_at,omitempty" doc:"Until when the secret before the last rotation works" example:"2026-02-01T09:00:00Z"`
	Version                int64             `json:"version" doc:"Counts the changes" example:"1"`
	CreatedAt              time.Time         `json:"created_at" example:"2026-01-31T09:00:00Z"`
	Tenant                 identity.TenantID `json:"-"`
	SecretVersion          int64             `json:"-"`
	SecretHash             []byte            `json:"-"`
	PreviousHash           []byte            `json:"-"`
}

func (c Client) hasSecret() bool { return c.AuthMethod == AuthBasic || c.AuthMethod == AuthPost }

// Has reports whether the client may use a grant type.
func (c Client) Has(grant string) bool { return slices.Contains(c.GrantTypes, grant) }

// ClientDraft is what a new client is made of.
type ClientDraft struct {
	Name                   string   `json:"name" minLength:"1" maxLength:"200" pattern:"\\S" doc:"As people see it, on one line" example:"Time sheets"`
	Type                   string   `json:"type" enum:"public,confidential" doc:"A confidential client is given a secret" example:"confidential"`
	RedirectURIs           []string `json:"redirect_uris,omitempty" nullable:"false" maxItems:"20" doc:"Needed for authorization_code" example:"[\"https://app.acme.example/callback\"]"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty" nullable:"false" maxItems:"20" doc:"Where a logout may lead" example:"[\"https://app.acme.example/\"]"`
	WebOrigins             []string `json:"web_origins,omitempty" nullable:"false" maxItems:"20" doc:"Origins of its pages, from which browsers may call with its tokens (CORS): scheme, host, and a port that is not the scheme's own" example:"[\"https://app.acme.example\"]"`
	GrantTypes             []string `json:"grant_types,omitempty" nullable:"false" minItems:"1" maxItems:"4" enum:"authorization_code,refresh_token,client_credentials" doc:"Left out: what fits the type and the redirect URIs. Token exchange, which discovery names too, is for the platform's own services: others are answered unauthorized_client" example:"[\"authorization_code\",\"refresh_token\"]"`
	Scopes                 []string `json:"scopes,omitempty" nullable:"false" maxItems:"20" doc:"Left out: all; an empty list: none" example:"[\"openid\",\"tasks\"]"`
	AuthMethod             string   `json:"token_endpoint_auth_method,omitempty" enum:"none,client_secret_basic,client_secret_post,private_key_jwt" doc:"Left out: what fits the type" example:"client_secret_basic"`
	JWKS                   *KeySet  `json:"jwks,omitempty" doc:"Needed for private_key_jwt. There is no jwks_uri: the server fetches nothing"`
}

// Client returns the client that d describes, or fault.Invalid.
func (d ClientDraft) Client(id string, now time.Time) (Client, error) {
	c := Client{
		ID: id, Name: strings.TrimSpace(d.Name), Type: d.Type, RedirectURIs: d.RedirectURIs, PostLogoutRedirectURIs: d.PostLogoutRedirectURIs,
		WebOrigins: d.WebOrigins, GrantTypes: d.GrantTypes, Scopes: d.Scopes, AuthMethod: d.AuthMethod, JWKS: d.JWKS, Enabled: true, Version: 1, CreatedAt: now,
	}
	if c.AuthMethod == "" {
		c.AuthMethod = DefaultAuthMethod(c.Type)
	}
	if d.GrantTypes == nil { // an empty list is no wish for all
		c.GrantTypes = c.defaultGrants()
	}
	if d.Scopes == nil {
		c.Scopes = Scopes()
	}
	return c.judged(Client{})
}

// judged returns c, whose lists name once what they named twice, or fault.Invalid,
// whose pointers count what was sent. A name or an address that it was given under
// other rules stands: whoever disables a client need not mend it first.
func (c Client) judged(was Client) (Client, error) {
	err := c.check(was)
	for _, list := range []*[]string{&c.RedirectURIs, &c.PostLogoutRedirectURIs, &c.WebOrigins, &c.GrantTypes, &c.Scopes} {
		*list = set(*list)
	}
	return c, err
}

// DefaultAuthMethod returns how a client of a type proves itself if nothing is said.
func DefaultAuthMethod(clientType string) string {
	if clientType == Public {
		return AuthNone
	}
	return AuthBasic
}

func (c Client) defaultGrants() (grants []string) {
	if len(c.RedirectURIs) > 0 {
		grants = append(grants, AuthorizationCode, RefreshToken)
	}
	if c.Type == Confidential {
		grants = append(grants, ClientCredentials)
	}
	return grants
}

func (c Client) check(was Client) error {
	var f fault.Check
	added := func(to, had []string, pointer string, check func(f *fault.Check, value, pointer string)) {
		for i, value := range to {
			if !slices.Contains(had, value) {
				check(&f, value, pointer+"/"+strconv.Itoa(i))
			}
		}
	}
	if c.Name != was.Name || c.Name == "" {
		CheckName(&f, c.Name, 1, "/name")
	}
	f.That(c.Type == Public || c.Type == Confidential, "/type", "unknown_value", "a client is public or confidential")
	added(c.RedirectURIs, was.RedirectURIs, "/redirect_uris", CheckRedirect)
	added(c.PostLogoutRedirectURIs, was.PostLogoutRedirectURIs, "/post_logout_redirect_uris", CheckRedirect)
	f.That(len(c.WebOrigins) <= maxOrigins, "/web_origins", "too_many", "at most 20 origins")
	added(c.WebOrigins, was.WebOrigins, "/web_origins", func(f *fault.Check, o, pointer string) { f.That(isOrigin(o), pointer, "malformed", OriginForm) })
	for i, g := range c.GrantTypes {
		f.That(c.mayUse(g), "/grant_types/"+strconv.Itoa(i), "unknown_value", "authorization_code, refresh_token or client_credentials")
	}
	for i, s := range c.Scopes {
		f.That(slices.Contains(Scopes(), s), "/scopes/"+strconv.Itoa(i), "unknown_value", "there is no such scope")
	}
	f.That(len(c.GrantTypes) > 0, "/grant_types", "required", "at least one; for a public client to have any, it needs redirect URIs")
	f.That(!c.Has(AuthorizationCode) || len(c.RedirectURIs) > 0, "/redirect_uris", "required", "authorization_code needs a redirect URI")
	f.That(!c.Has(RefreshToken) || c.Has(AuthorizationCode) || c.Has(Password), "/grant_types", "inconsistent", "refresh_token goes with authorization_code")
	f.That(!c.Has(ClientCredentials) || c.Type == Confidential, "/grant_types", "inconsistent", "a public client has no client_credentials")
	f.That((c.Type == Public) == (c.AuthMethod == AuthNone), "/token_endpoint_auth_method", "inconsistent", "a public client has none, a confidential one has another")
	f.That((c.JWKS != nil) == (c.AuthMethod == AuthPrivateKey), "/jwks", "inconsistent", "keys go with private_key_jwt")
	if c.JWKS != nil {
		c.JWKS.check(&f)
	}
	return f.Err()
}

func (c Client) mayUse(grant string) bool {
	return slices.Contains([]string{AuthorizationCode, RefreshToken, ClientCredentials}, grant) || grant == Password && c.FirstParty
}

// Redirect reports whether raw may be redirected to: it is registered as it
// is, or differs from a registered loopback URI in the port alone (RFC 8252,
// section 7.3).
func (c Client) Redirect(raw string) bool {
	for _, registered := range c.RedirectURIs {
		if registered == raw || loopbackMatch(registered, raw) {
			return true
		}
	}
	return false
}

func loopbackMatch(registered, raw string) bool {
	a, err := url.Parse(registered)
	if err != nil || a.Scheme != "http" || !loopback(a.Hostname()) {
		return false
	}
	b, err := url.Parse(raw)
	if err != nil || b.Port() == "" || !reachable(b) {
		return false
	}
	// The port is cut out of what was asked for; all the rest must be the same text.
	return strings.Replace(raw, b.Host, strings.TrimSuffix(b.Host, ":"+b.Port()), 1) == strings.Replace(registered, a.Host, strings.TrimSuffix(a.Host, ":"+a.Port()), 1)
}

// CheckRedirect notes at pointer why no client may have the redirect URI raw.
func CheckRedirect(f *fault.Check, raw, pointer string) {
	f.That(redirectable(raw), pointer, "malformed", RedirectForm)
	f.That(!answersItself(raw), pointer, "reserved", "its query has a parameter of the answer: code, state, iss or error")
}

func loopback(host string) bool { return host == "127.0.0.1" || host == "::1" || host == "localhost" }

func redirectable(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Host != "" && !reachable(u) || strings.Contains(raw, "#") || u.User != nil || utf8.RuneCountInString(raw) > MaxRedirect || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return false
	}
	switch u.Scheme {
	case "https":
		return u.Host != ""
	case "http":
		return loopback(u.Hostname())
	}
	return privateScheme.MatchString(u.Scheme) && u.Opaque+u.Host+u.Path != ""
}

const (
	// aHost is a name, where people's own networks have underscores, or an address, with
	// or without a port; what is internationalised is written as it is asked for, in ASCII (RFC 5891).
	aHost     = `(\w([\w-]*\w)?(\.\w([\w-]*\w)?)*\.?|\[[0-9A-Fa-f:.]+\])` + aPort
	aLoopback = `(localhost|127\.0\.0\.1|\[::1\])` + aPort
	aPort     = `(:[1-9][0-9]{0,4})?`
	noSpace   = `[^\x00-\x20#\x7f]*`
	aScheme   = `[A-Za-z][A-Za-z0-9+-]*(\.[A-Za-z0-9+-]+)+` // RFC 8252, section 7.1: a domain of one's own, reversed
)

// What a schema can say of a redirect URI and of a web origin: what is good matches,
// and little else.
const (
	RedirectPattern = `^(` + aScheme + `:[^?\x00-\x20#\x7f]` + noSpace + `|([Hh][Tt][Tt][Pp][Ss]://` + aHost + `|[Hh][Tt][Tt][Pp]://` + aLoopback + `)([/?]` + noSpace + `)?)$`
	OriginPattern   = `^(https://([a-z0-9_.-]+|\[[0-9a-f:]+\])` + aPort + `|http://` + aLoopback + `)$`
	RedirectForm    = "an absolute https URI without a fragment, one of a private scheme as com.example.app:/path, or http to localhost, 127.0.0.1 or [::1]"
	OriginForm      = "an origin as browsers write it: https://app.example, or http to localhost, 127.0.0.1 or [::1]; no path, no wildcard"
	MaxRedirect     = 2000 // characters
	MaxOrigin       = 253 + 20
)

var (
	host          = regexp.MustCompile("^" + aHost + "$")
	privateScheme = regexp.MustCompile("^" + aScheme + "$")
)

// reachable reports whether u names a host, and a port from 1 to 65535 or none.
func reachable(u *url.URL) bool {
	_, far := strconv.ParseUint(cmp.Or(u.Port(), "1"), 10, 16)
	_, odd := netip.ParseAddr(u.Hostname())
	return host.MatchString(u.Host) && far == nil && (odd == nil || !strings.HasPrefix(u.Host, "["))
}

// answersItself reports whether the query has what the answer adds (RFC 6749,
// section 4.1.2; RFC 9207), or what cannot be read and may have it.
func answersItself(raw string) bool {
	_, query, _ := strings.Cut(raw, "?")
	q, err := url.ParseQuery(query)
	return err != nil || q.Has("code") || q.Has("state") || q.Has("iss") || q.Has("error") || q.Has("error_description")
}

// maxOrigins keeps tokens, which name them, short.
const maxOrigins = 20

// isOrigin reports whether raw is an origin as the Origin field writes it (RFC
// 6454, section 6.2): whatever differs from that would never match.
func isOrigin(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || len(raw) > MaxOrigin || !reachable(u) || raw != u.Scheme+"://"+u.Host || raw != strings.ToLower(raw) {
		return false
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && (a.Is4In6() || a.String() != u.Hostname()) {
		return false
	}
	switch u.Scheme {
	case "https":
		return u.Port() != "443"
	case "http":
		return loopback(u.Hostname()) && u.Port() != "80"
	}
	return false
}

// set drops what is named twice; the order stays. It is never nil.
func set(all []string) []string {
	kept := make([]string, 0, len(all))
	for _, s := range all {
		if !slices.Contains(kept, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
