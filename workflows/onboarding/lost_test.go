package onboarding

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/workflows/temporal"
)

// loses lets every activity do its work, and then loses the first answer.
type loses struct {
	interceptor.WorkerInterceptorBase
	lost *sync.Map
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (l *loses) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &loser{interceptor.ActivityInboundInterceptorBase{Next: next}, l.lost}
}

type loser struct {
	interceptor.ActivityInboundInterceptorBase
	lost *sync.Map
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (l *loser) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	out, err := l.Next.ExecuteActivity(ctx, in)
	if info := activity.GetInfo(ctx); err == nil && info.Attempt == 1 {
		l.lost.Store(info.ActivityType.Name, true)
		return nil, sdk.NewTimeoutError(enums.TIMEOUT_TYPE_START_TO_CLOSE, errors.New("done, but nobody heard"))
	}
	return out, err
}

// forgetful carries w's registration through, and returns the activities whose
// first answer was lost.
func (w *world) forgetful(t *testing.T, verified bool) (*sync.Map, error) {
	t.Helper()
	close(w.pause)
	lost := &sync.Map{}
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(worker.Options{Interceptors: append([]interceptor.WorkerInterceptor{&loses{lost: lost}}, temporal.Options().Interceptors...)})
	env.RegisterActivity(w.acts)
	if verified {
		env.RegisterDelayedCallback(func() {
			w.verify(t)
			env.SignalWorkflow(verifiedSignal, nil)
		}, time.Hour)
	}
	env.ExecuteWorkflow(Workflow, w.in)
	return lost, env.GetWorkflowError()
}

func lose(t *testing.T, lost *sync.Map, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, ok := lost.LoadAndDelete(name); !ok {
			t.Errorf("%s did not do its work", name)
		}
	}
	lost.Range(func(name, _ any) bool { t.Errorf("%v did work", name); return true })
}

// Each step does its work and then its answer is lost: it is made again, and
// there is one of everything.
func TestLostAnswersRepeatAStepAndNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lost, err := w.forgetful(t, true)
	if err != nil {
		t.Fatal(err)
	}
	lose(t, lost, "SendVerification", "CreateTenant", "SeedRoles", "CreateOwner", "EnableCredential", "CreateClient", "Activate", "SendWelcome")
	w.isWhole(t)
	if len(w.mails) != 2 {
		t.Errorf("mails %q, want a verification and a welcome", w.mails)
	}
}

// The same, but a client is refused at last: everything is undone, once, and the
// owner is told once.
func TestLostAnswersOfWhatUndoesLeaveNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.refuse = fault.New(fault.Invalid, "client_refused", "no")
	lost, err := w.forgetful(t, true)
	if err == nil {
		t.Error("it succeeds")
	}
	lose(t, lost, "SendVerification", "CreateTenant", "SeedRoles", "CreateOwner", "EnableCredential",
		"DeleteClient", "DeleteCredential", "RemoveOwner", "UnseedRoles", "RemoveTenant", "Fail", "SendFailure")
	w.isGone(t, tenancy.StatusFailed)
	w.shows(t, "send_verification done, verification done, create_tenant undone, seed_roles undone, create_owner undone, enable_credential undone, "+
		"create_client failed, activate pending, send_welcome pending")
	w.mailed(t, "Confirm Acme on Bailiwick", "Acme could not be set up")
}

// A mail that no server takes is shown as such, and a tenant that works goes on.
func TestRefusedMailIsShown(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]string{
		"Confirm Acme on Bailiwick": "send_verification failed, verification pending, create_tenant pending, seed_roles pending, create_owner pending, " +
			"enable_credential pending, create_client pending, activate pending, send_welcome pending",
		"Acme is ready": "send_verification done, verification done, create_tenant done, seed_roles done, create_owner done, enable_credential done, " +
			"create_client done, activate done, send_welcome failed",
	} {
		w := newWorld(t)
		w.unsent = subject
		_, _ = w.forgetful(t, subject == "Acme is ready")
		if w.shows(t, want); subject == "Acme is ready" {
			w.isWhole(t)
		} else {
			w.isGone(t, tenancy.StatusFailed)
		}
	}
}

// Nobody opens the link, and the answers are lost: it expires.
func TestLostAnswersLetARegistrationExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_ = w.put("password " + w.owner.String()) // chosen, and then auth's answer was lost
	lost, err := w.forgetful(t, false)
	if err != nil {
		t.Error(err)
	}
	lose(t, lost, "SendVerification", "Expire", "DeleteCredential")
	w.isGone(t, tenancy.StatusExpired)
}
