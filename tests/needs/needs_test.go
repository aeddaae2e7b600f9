package needs_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"bailiwick.dev/tests/needs"
)

// The test runs itself, to see how it ends.
func TestWhatIsMissingIsSkippedOrFails(t *testing.T) {
	if os.Getenv("INNER") != "" {
		needs.Command(t, "there is no frobnicator", "false")
		return
	}
	for all, want := range map[string]string{"": "NOT TRIED: there is no frobnicator", "1": "FAIL"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), "INNER=1", "BAILIWICK_TEST_ALL="+all)
		if out, err := cmd.CombinedOutput(); (err != nil) != (all != "") || !strings.Contains(string(out), want) {
			t.Errorf("BAILIWICK_TEST_ALL=%q: %v, %s", all, err, out)
		}
	}
	needs.Command(t, "there is nothing", "true")
}
