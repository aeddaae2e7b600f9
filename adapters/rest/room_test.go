package rest

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
)

// One tenant takes half of the room, and no more are taken than there is room for.
func TestRoomIsShared(t *testing.T) {
	t.Parallel()
	r, a, b, c := newRoom(), uuid.New(), uuid.New(), uuid.New()
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	half, ok := r.enter(t.Context(), a, maxFiles/2)
	if !ok {
		t.Fatal("a tenant does not get its half")
	}
	if _, ok := r.enter(t.Context(), a, 1); ok {
		t.Error("a tenant gets more than its half")
	}
	if _, ok := r.enter(t.Context(), b, maxFiles/2); !ok {
		t.Error("another does not get its own")
	}
	if _, ok := r.enter(soon, c, 1); ok {
		t.Error("a third gets what nobody has left")
	}
	half()
	if _, ok := r.enter(t.Context(), c, maxFiles/2); !ok || len(r.of) != 2 {
		t.Errorf("what was left is not given again, or %d tenants take something", len(r.of))
	}
}
