package rest_test

import (
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/rest/resttest"
	"bailiwick.dev/domain/identity"
)

func TestTokensAreForTheServiceExactly(t *testing.T) {
	t.Parallel()
	issuer := resttest.NewIssuer(t)
	v := issuer.Verifier().For("things")
	for aud, want := range map[string]bool{
		resttest.Audience: true, resttest.Audience + "/things": true,
		resttest.Audience + "/": false, resttest.Audience + "/things/": false, resttest.Audience + "/other": false, resttest.Audience + "/thing": false, "": false,
	} {
		claims := issuer.Claims(identity.Caller{Tenant: uuid.New(), User: uuid.New(), Client: "c"})
		claims["aud"] = []string{aud}
		if _, err := v.Verify(t.Context(), issuer.Sign(t, "at+jwt", claims, nil)); (err == nil) != want {
			t.Errorf("aud %q: %v", aud, err)
		}
	}
}

func TestOnlyTheClientItselfActsForAPerson(t *testing.T) {
	t.Parallel()
	issuer := resttest.NewIssuer(t)
	person := identity.Caller{Tenant: uuid.New(), User: uuid.New(), Client: "svc"}
	for what, c := range map[string]struct {
		who  identity.Caller
		act  any
		want bool
	}{
		"the client":         {person, map[string]string{"sub": "svc"}, true},
		"another":            {person, map[string]string{"sub": "x"}, false},
		"nobody":             {person, map[string]string{}, false},
		"for no person":      {identity.Caller{Tenant: person.Tenant, Client: "svc"}, map[string]string{"sub": "svc"}, false},
		"what is no actor":   {person, "svc", false},
		"behind another one": {person, map[string]any{"sub": "svc", "act": map[string]string{"sub": "y"}}, true},
	} {
		claims := issuer.Claims(c.who)
		claims["act"] = c.act
		who, err := issuer.Verifier().Verify(t.Context(), issuer.Sign(t, "at+jwt", claims, nil))
		if (err == nil) != c.want || c.want && (who.Actor != "svc" || who.User != person.User) {
			t.Errorf("%s: %+v, %v", what, who, err)
		}
	}
}
