package login

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
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
	was := c
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
	marked := c.FirstParty
	c.FirstParty = marked || was.Has(Password) // whose mark is gone has a grant that gives nothing, and all else can be changed
	c, err := c.judged(was)
	c.FirstParty = marked
	return c, err
}

// mayBecome returns nil if the caller may make c of what it was. A program gives
// itself no service that its token is not for. The operator's mark spares people
// the question of consent, and holds for the addresses that it was given for.
func (c Client) mayBecome(was Client, who identity.Caller) error {
	for _, scope := range c.Scopes {
		if who.User == uuid.Nil && who.Client == c.ID && !OfPersons(scope) && !slices.Contains(was.Scopes, scope) && !who.HasScope(scope) {
			return fault.New(fault.Forbidden, "insufficient_scope", "a program gives itself no scope that its token lacks: "+scope)
		}
	}
	if was.FirstParty && c.LeadsElsewhere(was) {
		return fault.New(fault.Conflict, "first_party", "the platform's operator marked the client with the addresses that it has; ask for the mark to be taken away first")
	}
	return nil
}

// LeadsElsewhere reports whether c may be answered where it could not be as it
// was: who has consented to that one is asked again.
func (c Client) LeadsElsewhere(was Client) bool {
	return slices.ContainsFunc(c.RedirectURIs, func(uri string) bool { return !slices.Contains(was.RedirectURIs, uri) })
}

// Stale is returned for a change of a version that is no longer there.
func Stale() error {
	return fault.New(fault.Precondition, "precondition_failed", "it was changed meanwhile: read it again")
}
