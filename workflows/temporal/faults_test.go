package temporal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	sdk "go.temporal.io/sdk/temporal"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/workflows/temporal"
)

func TestKindDecidesRetry(t *testing.T) {
	t.Parallel()
	for k := fault.Internal; k <= fault.Unavailable; k++ {
		var app *sdk.ApplicationError
		if err := temporal.Error(fault.New(k, "some_code", "some message")); !errors.As(err, &app) {
			t.Fatalf("%v becomes %v, want an application error", k, err)
		}
		if app.NonRetryable() == k.Retryable() {
			t.Errorf("%v: non-retryable = %v", k, app.NonRetryable())
		}
		if back := temporal.Fault(fmt.Errorf("activity: %w", app)); back.Kind != k || back.Code != "some_code" {
			t.Errorf("%v comes back as %v %q", k, back.Kind, back.Code)
		}
	}
}

func TestOtherErrorsStayOutOfHistories(t *testing.T) {
	t.Parallel()
	err := temporal.Error(errors.New("password=hunter2"))
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the history would hold %q", err)
	}
	cause := fault.Wrap(fault.Unavailable, "code", "message", errors.New("token=abc"))
	if err := temporal.Error(cause); strings.Contains(err.Error(), "abc") {
		t.Errorf("the history would hold %q", err)
	}
}

func TestCancellationStaysCancellation(t *testing.T) {
	t.Parallel()
	if err := temporal.Error(context.Canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("Error = %v, want context.Canceled", err)
	}
}
