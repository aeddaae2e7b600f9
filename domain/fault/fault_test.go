package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"bailiwick.dev/domain/fault"
)

func TestKindSurvivesWrapping(t *testing.T) {
	err := fmt.Errorf("store: %w", fault.New(fault.NotFound, "task_not_found", "no such task"))
	if got := fault.KindOf(err); got != fault.NotFound {
		t.Errorf("KindOf = %v, want not_found", got)
	}
}

func TestAnyOtherErrorIsInternal(t *testing.T) {
	if got := fault.KindOf(errors.New("boom")); got != fault.Internal {
		t.Errorf("KindOf = %v, want internal", got)
	}
	if fault.Is(nil, fault.Internal) {
		t.Error("a nil error is of a kind")
	}
}

func TestCheckNamesEveryField(t *testing.T) {
	var c fault.Check
	c.That(true, "/ok", "fine", "")
	c.That(false, "/title", "required", "a task has a title")
	c.That(false, "/due", "past", "due is in the past")
	var e *fault.Error
	if !errors.As(c.Err(), &e) || len(e.Fields) != 2 || e.Fields[1].Pointer != "/due" {
		t.Fatalf("Err = %+v, want two fields", c.Err())
	}
	if (&fault.Check{}).Err() != nil {
		t.Error("an empty check fails")
	}
}
