package reporting_test

import (
	"testing"

	"bailiwick.dev/workflows/reporting"
	"bailiwick.dev/workflows/temporal/temporaltest"
)

// Histories that were recorded from real servers go on with today's code.
func TestRecordedHistoriesReplay(t *testing.T) {
	t.Parallel()
	temporaltest.Replay(t, "Reporting", reporting.Workflow)
}
