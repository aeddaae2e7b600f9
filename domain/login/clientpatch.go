package login

import (
	"strings"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/patch"
)

// ClientPatch changes a client. Its type and id stay.
type ClientPatch struct {
	Name, AuthMethod                                                     patch.Field[string]
	RedirectURIs, PostLogoutRedirectURIs, WebOrigins, GrantTypes, Scopes patch.Field[[]string]
	JWKS                                                                 patch.Field[KeySet]
	Enabled                                                              patch.Field[bool]
}

func (p ClientPatch) to(c Client) (Client, error) {
	had := c.Has(Password)
	p.Name.Apply(&c.Name)
	p.AuthMethod.Apply(&c.AuthMethod)
	p.RedirectURIs.Apply(&c.RedirectURIs)
	p.PostLogoutRedirectURIs.Apply(&c.PostLogoutRedirectURIs)
	p.WebOrigins.Apply(&c.WebOrigins)
	p.GrantTypes.Apply(&c.GrantTypes)
	p.Scopes.Apply(&c.Scopes)
	if p.JWKS.Set {
		c.JWKS = &p.JWKS.To
	} else if c.AuthMethod != AuthPrivateKey {
		c.JWKS = nil
	}
	p.Enabled.Apply(&c.Enabled)
	c.Name = strings.TrimSpace(c.Name)
	c.Version++
	if !c.hasSecret() { // a secret that is not wanted is no way in
		c.SecretHash, c.PreviousHash, c.PreviousUntil = nil, nil, nil
	}
	judged := c
	judged.FirstParty = c.FirstParty || had // whose mark is gone has a grant that gives nothing, and all else can be changed
	return c, judged.check()
}

// Stale is returned for a change of a version that is no longer there.
func Stale() error {
	return fault.New(fault.Precondition, "precondition_failed", "it was changed meanwhile: read it again")
}
