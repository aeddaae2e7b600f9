// Package temporaltest gives tests a real Temporal server, and lets today's
// workflows go on with the histories that such servers have recorded.
package temporaltest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"bailiwick.dev/workflows/temporal"
)

// CLI returns the path of the Temporal CLI: $TEMPORAL_CLI, else the one on
// PATH, else the clone's own.
func CLI(t *testing.T) string {
	t.Helper()
	local, err := filepath.Abs("../../.local/bin/temporal")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{os.Getenv("TEMPORAL_CLI"), "temporal", local} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Fatal("the Temporal CLI is missing: `make setup` installs it, or set TEMPORAL_CLI to its path (go install github.com/temporalio/cli/cmd/temporal@v1.5.1)")
	return ""
}

// New returns the address of a server that lives as long as the test, and a
// client of it.
func New(t *testing.T) (string, client.Client) {
	t.Helper()
	var out strings.Builder
	s, err := testsuite.StartDevServer(t.Context(), testsuite.DevServerOptions{
		ExistingPath: CLI(t), LogLevel: "error", Stdout: &out, Stderr: &out,
		ExtraArgs: []string{"--search-attribute", temporal.TenantID.GetName() + "=Keyword", "--search-attribute", temporal.Kind.GetName() + "=Keyword",
			"--dynamic-config-value", "matching.enableFairness=true", "--dynamic-config-value", "matching.numTaskqueueReadPartitions=1", "--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"},
	})
	if err != nil {
		t.Fatalf("Temporal: %v", err)
	}
	t.Cleanup(func() {
		s.Client().Close()
		if err := s.Stop(); err != nil || t.Failed() {
			t.Logf("Temporal: %v: %s", err, out.String())
		}
	})
	return s.FrontendHostPort(), s.Client()
}

// Record keeps the history of the server's workflow id as name for Replay, if
// RECORD is a folder: when a release has changed the workflow.
func Record(t *testing.T, address, id, name string) {
	t.Helper()
	dir := os.Getenv("RECORD")
	if dir == "" {
		return
	}
	out, err := exec.CommandContext(t.Context(), CLI(t), "workflow", "show", "--address", address, "-w", id, "-o", "json").Output()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".json"), out, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}

// Replay lets the workflow, whose type is name, go on with every history in
// the package's testdata.
func Replay(t *testing.T, name string, definition any) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		r := worker.NewWorkflowReplayer()
		r.RegisterWorkflowWithOptions(definition, workflow.RegisterOptions{Name: name})
		if err := r.ReplayWorkflowHistoryFromJSONFile(nil, f); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}
