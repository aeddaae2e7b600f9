package temporal

import (
	"context"
	"errors"

	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"bailiwick.dev/domain/fault"
)

// Error returns err as an activity must return it: its type is the fault's
// kind, and it is not retried where the same attempt can never succeed.
// Messages of faults hold no input and no secret, so they may go into a
// history; the text of any other error may not, and stays in the log.
func Error(err error) error {
	var f *fault.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled), temporal.IsCanceledError(err), isApplication(err):
		return err
	case errors.As(err, &f):
		return temporal.NewApplicationErrorWithOptions(f.Message, f.Kind.String(), temporal.ApplicationErrorOptions{
			NonRetryable: !f.Kind.Retryable(), NextRetryDelay: f.RetryAfter, Details: []any{f.Code},
		})
	}
	return temporal.NewApplicationErrorWithOptions("internal error, see the worker's log", fault.Internal.String(), temporal.ApplicationErrorOptions{})
}

// Fault is the inverse of Error: what an activity's failure tells a workflow.
func Fault(err error) *fault.Error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return fault.New(fault.Internal, "internal", "something went wrong on our side")
	}
	code := app.Type()
	if app.HasDetails() {
		_ = app.Details(&code) // the type stays if there is another detail
	}
	return fault.New(kindNamed(app.Type()), code, app.Message())
}

func kindNamed(name string) fault.Kind {
	for k := fault.Internal; k <= fault.Unavailable; k++ {
		if k.String() == name {
			return k
		}
	}
	return fault.Internal
}

func isApplication(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app)
}

// interceptors make every activity answer with Error, so that none can forget it.
func interceptors() []interceptor.WorkerInterceptor {
	return []interceptor.WorkerInterceptor{&faults{}}
}

type faults struct {
	interceptor.WorkerInterceptorBase
}

// InterceptActivity implements interceptor.WorkerInterceptor.
func (*faults) InterceptActivity(_ context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	return &activityFaults{interceptor.ActivityInboundInterceptorBase{Next: next}}
}

type activityFaults struct {
	interceptor.ActivityInboundInterceptorBase
}

// ExecuteActivity implements interceptor.ActivityInboundInterceptor.
func (a *activityFaults) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	out, err := a.Next.ExecuteActivity(ctx, in)
	if err != nil {
		report(ctx, err)
	}
	return out, Error(err)
}
