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
// it is not nil, is handed the run each time it was looked at. It returns a
// *ReportError when the run failed or was cancelled, and an error when ctx ends.
func WaitForReport(ctx context.Context, c *ClientWithResponses, id openapi_types.UUID, progress func(Run)) (*Run, error) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, longestPoll) {
		r, err := c.GetReportRunWithResponse(ctx, id, nil)
		if err != nil {
			return nil, err
		}
		if err := Check(r.HTTPResponse, r.Body, http.StatusOK); err != nil {
			return nil, err
		}
		if r.JSON200 == nil {
			return nil, fmt.Errorf("a report run that is no JSON, but %q", r.HTTPResponse.Header.Get("Content-Type"))
		}
		if progress != nil {
			progress(*r.JSON200)
		}
		switch r.JSON200.Status {
		case RunStatusSucceeded:
			return r.JSON200, nil
		case RunStatusFailed, RunStatusCancelled:
			return r.JSON200, &ReportError{Run: *r.JSON200}
		}
		select {
		case <-ctx.Done():
			return r.JSON200, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// ReportError tells of a report run that has no file: it failed, and
// Run.Failure says why, or was cancelled.
type ReportError struct{ Run Run }

// Error implements error.
func (e *ReportError) Error() string {
	if e.Run.Failure == nil {
		return fmt.Sprintf("the report run is %s", e.Run.Status)
	}
	return fmt.Sprintf("the report run is %s: %s: %s", e.Run.Status, e.Run.Failure.Code, e.Run.Failure.Message)
}
