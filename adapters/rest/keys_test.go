package rest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// While the keys are read anew for a stranger's unknown kid, or for a new key,
// whoever has a known one goes on.
func TestKnownKeyDoesNotWaitForNewOnes(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan bool, 9), make(chan []string, 9)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- true
		var set jose.JSONWebKeySet
		for _, kid := range <-answer {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: []byte("k"), KeyID: kid})
		}
		_ = json.NewEncoder(w).Encode(set) // the client is gone if this fails
	}))
	t.Cleanup(srv.Close)
	v := NewVerifier("issuer", "audience", srv.URL)
	answer <- []string{"old"}
	if _, err := v.key(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	<-asked
	v.tried = time.Time{}
	news := make(chan error)
	for range 2 {
		go func() {
			_, err := v.key(t.Context(), "new")
			news <- err
		}()
	}
	<-asked
	if _, err := v.key(t.Context(), "old"); err != nil {
		t.Errorf("a known key: %v", err)
	}
	answer <- []string{"old", "new"}
	for range 2 {
		if err := <-news; err != nil {
			t.Errorf("a new key: %v", err)
		}
	}
	if _, err := v.key(t.Context(), "unknown"); err == nil || len(asked) > 0 {
		t.Errorf("an unknown key: %v, after %d more requests for keys", err, len(asked))
	}
}
