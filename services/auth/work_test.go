package main

import (
	"context"
	"slices"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"bailiwick.dev/adapters/argon2"
)

// counted is a hasher that notes what it is asked.
type counted struct {
	*argon2.Hasher
	mu    sync.Mutex
	calls []string
}

func (c *counted) note(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call)
}

func (c *counted) Hash(ctx context.Context, password string) (string, error) {
	c.note("hash")
	return c.Hasher.Hash(ctx, password)
}

func (c *counted) Verify(ctx context.Context, hash, password string) (bool, error) {
	c.note("verify")
	return c.Hasher.Verify(ctx, hash, password)
}

// Work is counted: time would tell of the machine as well.
func TestUnknownAddressIsTheWorkOfAWrongPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, _ := w.oauth(t)
	work := &counted{Hasher: argon2.New()}
	w.cfg.hasher = work
	far := w.replicaOn(t, w.db.AppURL, w.db.SystemURL)
	b := w.browser(t)
	_, form := open(t, b, c.AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier())))
	try := func(mail string) (int, []string) {
		work.calls = nil
		form.Set("email", mail)
		form.Set("password", "wrong password")
		return send(t, b, far.url+"/auth/login", form).StatusCode, slices.Clone(work.calls)
	}
	for what, mail := range map[string]string{"a wrong password": email, "an unknown address": "nobody@acme.example"} {
		if status, calls := try(mail); status != 401 || !slices.Equal(calls, []string{"verify"}) {
			t.Errorf("%s is answered %d after %v", what, status, calls)
		}
	}
	w.db.Exec(t, "update credentials set enabled = false")
	if status, calls := try(email); status != 401 || !slices.Equal(calls, []string{"verify"}) {
		t.Errorf("a disabled person is answered %d after %v", status, calls)
	}
}
