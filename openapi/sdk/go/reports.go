package bailiwick

import (
	"context"
	"fmt"
	"net/http"
	"time"

	openapi_types "github.com/oapi-codegen/runtime/types"
)

// longestPoll bounds how long WaitForReport sleeps between two looks.
const longestPoll = 2 * time.Second

// WaitForReport waits until a report run is over and returns it. progress, if
// it is not nil, is handed the run each time it was looked at. It returns an
// error when the run failed, which says why, or was cancelled, and when ctx ends.
func WaitForReport(ctx context.Context, c *ClientWithResponses, id openapi_types.UUID, progress func(Run)) (*Run, error) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, longestPoll) {
		r, err := c.GetReportRunWithResponse(ctx, id, nil)
		if err != nil {
			return nil, err
		}
		if err := Check(r.HTTPResponse, r.Body, http.StatusOK); err != nil {
			return nil, err
		}
		if progress != nil {
			progress(*r.JSON200)
		}
		switch r.JSON200.Status {
		case RunStatusSucceeded:
			return r.JSON200, nil
		case RunStatusFailed, RunStatusCancelled:
			return r.JSON200, over(r.JSON200)
		}
		select {
		case <-ctx.Done():
			return r.JSON200, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// over tells how a run without a file has ended.
func over(r *Run) error {
	if r.Failure == nil {
		return fmt.Errorf("the report run is %s", r.Status)
	}
	return fmt.Errorf("the report run is %s: %s: %s", r.Status, r.Failure.Code, r.Failure.Message)
}
