package onboarding

import (
	"context"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/workflows/temporal"
	"bailiwick.dev/workflows/temporal/temporaltest"
)

// serve runs a worker on a real server until the test ends.
func (w *world) serve(t *testing.T) (string, client.Client) {
	t.Helper()
	address, c := temporaltest.New(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- temporal.Run(ctx, func() worker.Worker { return Worker(c, w.acts) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return address, c
}

// begin begins the onboarding, or tells it that the owner is verified.
func (w *world) begin(t *testing.T, c client.Client, verified bool) {
	t.Helper()
	if err := (Starter{c}).Begin(t.Context(), tenancy.Pending{ID: w.in.TenantID, Slug: "acme", Verified: verified}); err != nil {
		t.Fatal(err)
	}
}

// id is the workflow's.
func (w *world) id() string { return "onboarding/acme/" + w.in.TenantID.String() }

// reaches waits until the step is in the state.
func (w *world) reaches(t *testing.T, name tenancy.StepName, state tenancy.State) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		for _, s := range w.registration(t).Steps {
			if s.Name == name && s.State == state {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not become %s", name, state)
		}
	}
}

// An operator cancels in the middle of a step, which is done all the same:
// nothing is left, and the owner is told.
func TestOperatorsCancellationUndoesTheStepUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address, c := w.serve(t)
	w.begin(t, c, false)
	w.reaches(t, tenancy.SendVerification, tenancy.StepDone)
	w.verify(t)
	w.begin(t, c, true)
	w.reaches(t, tenancy.SeedRoles, tenancy.StepRunning)
	if err := c.CancelWorkflow(t.Context(), w.id(), ""); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Second, func() { close(w.pause) })
	if err := c.GetWorkflow(t.Context(), w.id(), "").Get(t.Context(), nil); !sdk.IsCanceledError(err) {
		t.Errorf("the workflow ends with %v, want cancelled", err)
	}
	w.seeding.Wait()
	w.isGone(t, tenancy.StatusFailed)
	if r := w.registration(t); r.Failure == nil || r.Failure.Code != "cancelled" {
		t.Errorf("failure %+v, want cancelled", r.Failure)
	}
	w.mailed(t, "Confirm Acme on Bailiwick", "Acme could not be set up")
	temporaltest.Record(t, address, w.id(), "cancelled-and-told")
}

// later is a queue for which the silence is over.
type later struct{ tenancy.Queue }

// DueRegistrations implements tenancy.Queue.
func (q later) DueRegistrations(ctx context.Context, at time.Time) ([]tenancy.Pending, error) {
	return q.Queue.DueRegistrations(ctx, at.Add(2*tenancy.Silence))
}

// An operator terminates an onboarding that waits for its owner, and then one
// in the middle of a step: each time the reconciler begins it again, and there
// is one of everything.
func TestTerminatedOnboardingIsBegunAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, c := w.serve(t)
	s := &tenancy.Service{Store: w.store, Onboarding: Starter{c}}
	reconcile := func() {
		t.Helper()
		if err := tenancy.BeginRegistrations(t.Context(), later{w.store}, s); err != nil {
			t.Fatal(err)
		}
	}
	terminate := func() {
		t.Helper()
		if err := c.TerminateWorkflow(t.Context(), w.id(), "", "by mistake"); err != nil {
			t.Fatal(err)
		}
	}
	reconcile()
	w.reaches(t, tenancy.SendVerification, tenancy.StepDone)
	terminate()
	reconcile()
	w.verify(t)
	reconcile()
	w.reaches(t, tenancy.SeedRoles, tenancy.StepRunning)
	terminate()
	reconcile()
	close(w.pause)
	if err := c.GetWorkflow(t.Context(), w.id(), "").Get(t.Context(), nil); err != nil {
		t.Errorf("begun again: %v", err)
	}
	reconcile()
	w.isWhole(t)
	if len(w.mails) != 2 {
		t.Errorf("mails %q, want a verification and a welcome", w.mails)
	}
}

// An operator cancels while the owner's choice of a password is half done:
// nothing of it is left.
func TestOperatorsCancellationForgetsThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address, c := w.serve(t)
	w.begin(t, c, false)
	w.reaches(t, tenancy.SendVerification, tenancy.StepDone)
	_ = w.put("password " + w.owner.String())
	if err := c.CancelWorkflow(t.Context(), w.id(), ""); err != nil {
		t.Fatal(err)
	}
	if err := c.GetWorkflow(t.Context(), w.id(), "").Get(t.Context(), nil); !sdk.IsCanceledError(err) {
		t.Errorf("the workflow ends with %v, want cancelled", err)
	}
	w.isGone(t, tenancy.StatusFailed)
	w.mailed(t, "Confirm Acme on Bailiwick") // who has not confirmed waits for nothing
	temporaltest.Record(t, address, w.id(), "cancelled-while-waiting")
}
