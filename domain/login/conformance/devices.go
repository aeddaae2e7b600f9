package conformance

import (
	"bytes"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// knows reports whether a device is the world's person's.
func (w world) knows(t *testing.T, device []byte) bool {
	t.Helper()
	got, err := w.Device(t.Context(), w.tenant, address, [][]byte{secret(), device})
	must(t, err)
	return bytes.Equal(got, device)
}

func devices(t *testing.T, w world) {
	at, _, err := w.logIn(t, "x")
	must(t, err)
	remember := func(was []byte) []byte {
		t.Helper()
		d := secret()
		must(t, w.Remember(t.Context(), w.tenant, at.ID, d, was))
		return d
	}
	first := remember(nil)
	second := remember(first)
	if w.knows(t, first) || !w.knows(t, second) {
		t.Error("the device is known by what it was given before, or not by what it was given")
	}
	for what, get := range map[string]func() ([]byte, error){
		"another person":  func() ([]byte, error) { return w.Device(t.Context(), w.tenant, "nobody@b.example", [][]byte{second}) },
		"another tenant":  func() ([]byte, error) { return w.Device(t.Context(), uuid.New(), address, [][]byte{second}) },
		"another browser": func() ([]byte, error) { return w.Device(t.Context(), w.tenant, address, [][]byte{secret()}) },
	} {
		if got, err := get(); err != nil || got != nil {
			t.Errorf("%s has the device: %v", what, err)
		}
	}
	for range login.MostDevices - 1 {
		remember(nil)
	}
	if !w.knows(t, second) {
		t.Error("a device is forgotten before there are too many")
	}
	if last := remember(nil); w.knows(t, second) || !w.knows(t, last) {
		t.Error("of too many devices not the oldest is forgotten")
	}
	forgotten(t, w, at.ID, remember(nil))
}

// forgotten ends everything, at which a device is forgotten, and stays so.
func forgotten(t *testing.T, w world, session uuid.UUID, device []byte) {
	t.Helper()
	must(t, w.EndSessions(t.Context(), identity.Caller{Tenant: w.tenant, User: w.user}, uuid.Nil, event(login.SessionsEnded)))
	late := secret()
	must(t, w.Remember(t.Context(), w.tenant, session, late, nil))
	if w.knows(t, device) || w.knows(t, late) {
		t.Error("a device outlives a logout everywhere")
	}
	at, _, err := w.logIn(t, "x")
	must(t, err)
	must(t, w.Remember(t.Context(), w.tenant, at.ID, device, nil))
	must(t, w.Reset(t.Context(), w.tenant, w.link(t, login.ResetLink), w.user, "y", event(login.PasswordReset)))
	if w.knows(t, device) {
		t.Error("a device outlives a reset of the password")
	}
}
