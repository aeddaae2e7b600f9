package login_test

import (
	"maps"
	"strings"
	"testing"

	"bailiwick.dev/domain/login"
)

func TestChangesOfAClientAreTold(t *testing.T) {
	t.Parallel()
	was := login.Client{Name: "Sheets", RedirectURIs: []string{"https://a.example/cb", "https://b.example/cb"}, Scopes: []string{"openid"}, AuthMethod: login.AuthBasic, Enabled: true, SecretHash: []byte("s"), PreviousHash: []byte("p")}
	for what, c := range map[string]struct {
		change func(*login.Client)
		want   map[string]string
	}{
		"nothing": {func(*login.Client) {}, map[string]string{"changed": ""}},
		"renamed": {func(c *login.Client) { c.Name = "Bills" }, map[string]string{"changed": "name", "name.before": "Sheets", "name.after": "Bills"}},
		"a URI is swapped": {func(c *login.Client) { c.RedirectURIs = []string{"https://a.example/cb", "https://evil.example/cb"} }, map[string]string{
			"changed": "redirect_uris", "redirect_uris.before": "https://a.example/cb https://b.example/cb", "redirect_uris.after": "https://a.example/cb https://evil.example/cb",
		}},
		"lists": {func(c *login.Client) {
			c.PostLogoutRedirectURIs, c.WebOrigins, c.GrantTypes, c.Scopes = []string{"https://a.example/"}, []string{"https://a.example"}, []string{"client_credentials"}, nil
		}, map[string]string{
			"changed":                         "post_logout_redirect_uris web_origins grant_types scopes",
			"post_logout_redirect_uris.after": "https://a.example/", "post_logout_redirect_uris.before": "", "web_origins.after": "https://a.example", "web_origins.before": "",
			"grant_types.after": "client_credentials", "grant_types.before": "", "scopes.before": "openid", "scopes.after": "",
		}},
		"disabled": {func(c *login.Client) { c.Enabled = false }, map[string]string{"changed": "enabled", "enabled.before": "true", "enabled.after": "false"}},
		"keys for a secret": {func(c *login.Client) {
			c.AuthMethod, c.JWKS, c.SecretHash, c.PreviousHash = login.AuthPrivateKey, &login.KeySet{Keys: []login.Key{{Kid: "k"}}}, nil, nil
		}, map[string]string{
			"changed":                           "token_endpoint_auth_method jwks secret previous_secret",
			"token_endpoint_auth_method.before": "client_secret_basic", "token_endpoint_auth_method.after": "private_key_jwt",
		}},
		"the secret before ends": {func(c *login.Client) { c.PreviousHash = nil }, map[string]string{"changed": "previous_secret"}},
		"a long name":            {func(c *login.Client) { c.Name = "x" + strings.Repeat("é", 200) }, map[string]string{"changed": "name", "name.before": "Sheets", "name.after": "x" + strings.Repeat("é", 149) + "…"}},
	} {
		now := was
		c.change(&now)
		if got := now.Since(was); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}
