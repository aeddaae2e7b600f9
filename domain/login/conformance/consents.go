package conformance

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

func consents(t *testing.T, w world) {
	scopes := func(want ...string) {
		t.Helper()
		got, err := w.Consented(t.Context(), w.tenant, w.user, w.client)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("consented to %v, %v, want %v", got, err, want)
		}
	}
	scopes()
	must(t, w.Consent(t.Context(), w.tenant, w.user, w.client, []string{"openid", "tasks"}, event(login.ConsentGiven)))
	must(t, w.Consent(t.Context(), w.tenant, w.user, w.client, []string{"email", "tasks"}, event(login.ConsentGiven)))
	scopes("email", "openid", "tasks")
	wantKind(t, "nobody's consent", w.Consent(t.Context(), w.tenant, uuid.New(), w.client, nil, event(login.ConsentGiven)), fault.NotFound)
	wantKind(t, "consent to no client", w.Consent(t.Context(), w.tenant, w.user, uuid.NewString(), nil, event(login.ConsentGiven)), fault.NotFound)
	if got, err := w.Consented(t.Context(), uuid.New(), w.user, w.client); err != nil || len(got) != 0 {
		t.Errorf("in another tenant: %v, %v", got, err)
	}
	redirected(t, w, scopes)
	withdrawn(t, w, scopes)
	must(t, w.Consent(t.Context(), w.tenant, w.user, w.client, []string{"email"}, event(login.ConsentGiven)))
	must(t, w.DropCredential(t.Context(), w.tenant, w.user, event(login.PersonRemoved)))
	scopes()
}

// redirected: who has consented is asked again when the client is answered elsewhere.
func redirected(t *testing.T, w world, scopes func(want ...string)) {
	who := identity.Caller{Tenant: w.tenant, User: w.user}
	for uri, want := range map[string][]string{"": {"email", "openid", "tasks"}, "https://elsewhere.example/": nil} {
		was, err := w.Client(t.Context(), who, w.client)
		must(t, err)
		c := was
		if c.Version++; uri != "" {
			c.RedirectURIs = append(slices.Clone(c.RedirectURIs), uri)
		}
		must(t, w.Consent(t.Context(), w.tenant, w.user, w.client, []string{"email", "openid", "tasks"}, event(login.ConsentGiven)))
		_, err = w.ChangeClient(t.Context(), who, was, c)
		must(t, err)
		scopes(want...)
	}
	must(t, w.Consent(t.Context(), w.tenant, w.user, w.client, []string{"tasks"}, event(login.ConsentGiven)))
}

// withdrawn: with a consent goes what its client has of the person, and no more.
func withdrawn(t *testing.T, w world, scopes func(want ...string)) {
	who, other := identity.Caller{Tenant: w.tenant, User: w.user}, w
	other.client = add(t, w.Store, who).ID
	must(t, w.Consent(t.Context(), w.tenant, w.user, other.client, []string{"openid"}, event(login.ConsentGiven)))
	if all, err := w.Consents(t.Context(), who); err != nil || len(all) != 2 || all[0].ClientID >= all[1].ClientID || all[0].Name != "c" || len(all[0].Scopes) == 0 || time.Since(all[0].At) > time.Minute {
		t.Errorf("the consents are %+v, %v", all, err)
	}
	code := w.code(t, time.Minute)
	ended, _ := w.family(t)
	stays, _ := other.family(t)
	stranger := identity.Caller{Tenant: w.tenant, User: uuid.New()}
	wantKind(t, "another person withdraws it", w.Withdraw(t.Context(), stranger, w.client, event(login.ConsentWithdrawn)), fault.NotFound)
	if all, err := w.Consents(t.Context(), stranger); err != nil || len(all) != 0 {
		t.Errorf("another person's are %+v, %v", all, err)
	}
	must(t, w.Withdraw(t.Context(), who, w.client, event(login.ConsentWithdrawn)))
	scopes()
	if all, err := w.Consents(t.Context(), who); err != nil || len(all) != 1 || all[0].ClientID != other.client {
		t.Errorf("afterwards they are %+v, %v", all, err)
	}
	if w.lives(t, ended) || !w.lives(t, stays) {
		t.Error("the client's family lives, or another's does not")
	}
	if done, err := w.Exchange(t.Context(), w.tenant, w.exchange(code.Hash, nil)); err != nil || done {
		t.Errorf("a code from before: %v, %v", done, err)
	}
	wantKind(t, "again", w.Withdraw(t.Context(), who, w.client, event(login.ConsentWithdrawn)), fault.NotFound)
}
