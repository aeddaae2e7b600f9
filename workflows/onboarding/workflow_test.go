package onboarding

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/workflows/temporal"
	"bailiwick.dev/workflows/temporal/temporaltest"
)

// steps runs the workflow with activities that note their names; fails says
// what one of them returns.
func steps(t *testing.T, verifyAfter time.Duration, fails map[string]error) ([]string, error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(30 * time.Second)
	var mu sync.Mutex
	var done []string
	for _, name := range []string{"SendVerification", "CreateTenant", "RemoveTenant", "SeedRoles", "UnseedRoles", "CreateOwner", "RemoveOwner",
		"EnableCredential", "DeleteCredential", "CreateClient", "DeleteClient", "Activate", "SendWelcome", "SendFailure"} {
		env.RegisterActivityWithOptions(func(context.Context, Input) error {
			mu.Lock()
			defer mu.Unlock()
			done = append(done, name)
			return temporal.Error(fails[name])
		}, activity.RegisterOptions{Name: name})
	}
	env.RegisterActivityWithOptions(func(context.Context, Input) (bool, error) {
		done = append(done, "Expire")
		return true, temporal.Error(fails["Expire"])
	}, activity.RegisterOptions{Name: "Expire"})
	env.RegisterActivityWithOptions(func(_ context.Context, _ Input, f tenancy.Failure) error {
		done = append(done, "Fail "+f.Code)
		return nil
	}, activity.RegisterOptions{Name: "Fail"})
	if verifyAfter > 0 {
		env.RegisterDelayedCallback(func() { env.SignalWorkflow(verifiedSignal, nil) }, verifyAfter)
	}
	env.ExecuteWorkflow(Workflow, Input{uuid.New()})
	if !env.IsWorkflowCompleted() {
		t.Fatal("the workflow does not end")
	}
	return done, env.GetWorkflowError()
}

func TestOnboardingGoesStepByStep(t *testing.T) {
	t.Parallel()
	got, err := steps(t, 48*time.Hour, nil)
	want := []string{"SendVerification", "CreateTenant", "SeedRoles", "CreateOwner", "EnableCredential", "CreateClient", "Activate", "SendWelcome"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("steps %v, %v; want %v", got, err, want)
	}
}

func TestUnverifiedRegistrationExpires(t *testing.T) {
	t.Parallel()
	got, err := steps(t, 0, nil)
	if want := []string{"SendVerification", "Expire", "DeleteCredential"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("steps %v, %v; want %v", got, err, want)
	}
}

func TestFailureUndoesWhatWasBegunLastFirst(t *testing.T) {
	t.Parallel()
	got, err := steps(t, time.Hour, map[string]error{"CreateClient": fault.New(fault.Invalid, "client_refused", "no")})
	want := []string{"SendVerification", "CreateTenant", "SeedRoles", "CreateOwner", "EnableCredential", "CreateClient",
		"DeleteClient", "DeleteCredential", "RemoveOwner", "UnseedRoles", "RemoveTenant", "DeleteCredential", "Fail client_refused", "SendFailure"}
	if err == nil || !slices.Equal(got, want) {
		t.Errorf("steps %v, %v; want %v", got, err, want)
	}
}

// A mail of the failure that no server takes, or not for days, is let be.
func TestFailureEndsWithoutItsMail(t *testing.T) {
	t.Parallel()
	for _, kind := range []fault.Kind{fault.Invalid, fault.Unavailable} {
		got, err := steps(t, time.Hour, map[string]error{"CreateTenant": fault.New(fault.Invalid, "tenant_refused", "no"), "SendFailure": fault.New(kind, "unsent", "no")})
		if temporal.Fault(err).Code != "tenant_refused" || got[len(got)-1] != "SendFailure" {
			t.Errorf("steps %v, %v; want the mail to be tried at last, and the failure", got, err)
		}
	}
}

func TestRefusedMailFailsTheRegistration(t *testing.T) {
	t.Parallel()
	got, err := steps(t, 0, map[string]error{"SendVerification": fault.New(fault.Invalid, "email_refused", "no")})
	if want := []string{"SendVerification", "Fail email_refused", "DeleteCredential", "SendFailure"}; err == nil || !slices.Equal(got, want) {
		t.Errorf("steps %v, %v; want %v", got, err, want)
	}
}

func TestExpiryThatFailsFailsTheRegistration(t *testing.T) {
	t.Parallel()
	got, err := steps(t, 0, map[string]error{"Expire": fault.New(fault.NotFound, "not_found", "gone")})
	if want := []string{"SendVerification", "Expire", "Fail not_found", "DeleteCredential", "SendFailure"}; err == nil || !slices.Equal(got, want) {
		t.Errorf("steps %v, %v; want %v", got, err, want)
	}
}

// Begun anew after it has ended, an onboarding changes nothing.
func TestEndedRegistrationKeepsItsEnd(t *testing.T) {
	t.Parallel()
	for want, end := range map[tenancy.Status]func(w *world) error{
		tenancy.StatusFailed:  func(w *world) error { return w.acts.Fail(t.Context(), w.in, tenancy.Failure{Code: "c"}) },
		tenancy.StatusExpired: func(w *world) error { _, err := w.acts.Expire(t.Context(), w.in); return err },
	} {
		w := newWorld(t)
		if err := end(w); err != nil {
			t.Fatal(err)
		}
		if _, err := w.forgetful(t, false); !sdk.IsCanceledError(err) {
			t.Errorf("%s: the workflow ends with %v, want cancelled", want, err)
		}
		w.isGone(t, want)
		if len(w.mails) != 0 {
			t.Errorf("%s: mails %q", want, w.mails)
		}
	}
}

// Histories that were recorded replay: a running onboarding survives a new version.
func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	temporaltest.Replay(t, name, Workflow)
}
