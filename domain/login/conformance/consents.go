package conformance

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
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
	must(t, w.DropCredential(t.Context(), w.tenant, w.user, event(login.PersonRemoved)))
	scopes()
}
