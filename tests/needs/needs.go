// Package needs skips the tests that cannot be run on every machine.
package needs

import (
	"os"
	"os/exec"
	"testing"
)

// Command skips the test where command fails, saying what is missing; where
// BAILIWICK_TEST_ALL is set, as CI does, it fails the test.
func Command(t *testing.T, missing string, command ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	if err == nil {
		return
	}
	if os.Getenv("BAILIWICK_TEST_ALL") != "" {
		t.Fatalf("%s, but all is to be tried: %v\n%s", missing, err, out)
	}
	t.Skip("NOT TRIED: " + missing)
}
