package rest

import (
	"net/http/httptest"
	"testing"
	"time"
)

type timed struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (w *timed) SetWriteDeadline(at time.Time) error {
	w.deadline = at
	return nil
}

func TestEachPartOfAStreamHasADeadline(t *testing.T) {
	t.Parallel()
	w := &timed{ResponseRecorder: httptest.NewRecorder()}
	for range 2 {
		before := time.Now()
		if _, err := (steady{w}).Write([]byte("part")); err != nil || w.deadline.Before(before.Add(slowReader)) || w.deadline.After(time.Now().Add(slowReader)) {
			t.Errorf("the part must be taken by %s, %v", w.deadline, err)
		}
	}
	if w.Body.String() != "partpart" {
		t.Errorf("got %q", w.Body)
	}
}
