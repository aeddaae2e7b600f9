package login

import (
	"bytes"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Since says for the audit trail what makes c another than was: "changed" names
// the fields, and each that is no secret and no key has what it was and is in
// "<field>.before" and "<field>.after", lists with spaces between.
func (c Client) Since(was Client) map[string]string {
	var names []string
	told := map[string]string{}
	changed := func(name string, differs bool) bool {
		if differs {
			names = append(names, name)
		}
		return differs
	}
	shown := func(name string, before, after []string) {
		if changed(name, !slices.Equal(before, after)) {
			told[name+".before"], told[name+".after"] = brief(before), brief(after)
		}
	}
	shown("name", []string{was.Name}, []string{c.Name})
	shown("redirect_uris", was.RedirectURIs, c.RedirectURIs)
	shown("post_logout_redirect_uris", was.PostLogoutRedirectURIs, c.PostLogoutRedirectURIs)
	shown("web_origins", was.WebOrigins, c.WebOrigins)
	shown("grant_types", was.GrantTypes, c.GrantTypes)
	shown("scopes", was.Scopes, c.Scopes)
	shown("token_endpoint_auth_method", []string{was.AuthMethod}, []string{c.AuthMethod})
	shown("enabled", []string{strconv.FormatBool(was.Enabled)}, []string{strconv.FormatBool(c.Enabled)})
	changed("jwks", !reflect.DeepEqual(was.JWKS, c.JWKS))
	changed("secret", !bytes.Equal(was.SecretHash, c.SecretHash))
	changed("previous_secret", !bytes.Equal(was.PreviousHash, c.PreviousHash))
	told["changed"] = strings.Join(names, " ")
	return told
}

// maxTold is how many bytes of each value an entry holds: a name, or an address
// with its host, and no list hides its last under long ones before.
const maxTold = 300

func brief(all []string) string {
	cut := make([]string, len(all))
	for i, s := range all {
		if cut[i] = s; len(s) > maxTold {
			n := maxTold
			for !utf8.RuneStart(s[n]) {
				n--
			}
			cut[i] = s[:n] + "…"
		}
	}
	return strings.Join(cut, " ")
}
