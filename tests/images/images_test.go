// Package images builds the services' images and runs them.
package images

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"bailiwick.dev/tests/needs"
)

const root = "../.."

// Where no Docker engine runs there is nothing to build with; CI has one.
func needsDocker(t *testing.T) {
	t.Helper()
	needs.Command(t, "no Docker engine answers", "docker", "info")
}

// build is the README's.
const build = "deploy/docker/postgres/build && deploy/docker/nginx/build && deploy/docker/build"

var built = sync.OnceValues(func() ([]byte, error) {
	cmd := exec.Command("bash", "-c", build)
	cmd.Dir = root
	return cmd.CombinedOutput()
})

func TestEachServiceRunsFromScratch(t *testing.T) {
	needsDocker(t)
	if out, err := built(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, service := range []string{"auth", "users", "authz", "tasks", "reports"} {
		out, err := exec.CommandContext(t.Context(), "docker", "run", "--rm", "--read-only", "--cap-drop=ALL", "--network=none", "bailiwick/"+service, "openapi").Output()
		var doc struct {
			OpenAPI string         `json:"openapi"`
			Paths   map[string]any `json:"paths"`
		}
		if err != nil || json.Unmarshal(out, &doc) != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") || len(doc.Paths) == 0 {
			t.Errorf("%s prints no document: %v\n%.200s", service, err, out)
		}
		user, err := exec.CommandContext(t.Context(), "docker", "inspect", "--format", "{{.Config.User}}", "bailiwick/"+service).Output()
		if err != nil || strings.TrimSpace(string(user)) != "65532:65532" {
			t.Errorf("%s runs as %q, %v", service, user, err)
		}
	}
}

// composed returns what Compose makes of its file, which takes no engine.
func composed(t *testing.T, environ ...string) string {
	t.Helper()
	needs.Command(t, "there is no docker-compose", "docker-compose", "version")
	cmd := exec.CommandContext(t.Context(), "docker-compose", "-f", root+"/deploy/docker/docker-compose.yaml", "--env-file", root+"/deploy/docker/example.env", "config")
	cmd.Env = append(os.Environ(), environ...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("docker-compose: %v\n%s", err, out)
	}
	return string(out)
}

// Who sets OTEL_* has every process trace that serves or works; for who does
// not, none has an empty value, which would be a setting.
func TestComposePassesTracingOn(t *testing.T) {
	const name = "OTEL_EXPORTER_OTLP_ENDPOINT"
	if n := strings.Count(composed(t, name+"=http://collector:4318"), name+": http://collector:4318\n"); n != 8 {
		t.Errorf("%d processes are told of the collector", n)
	}
	for line := range strings.Lines(composed(t)) {
		if variable, value, _ := strings.Cut(strings.TrimSpace(line), ":"); strings.HasPrefix(variable, "OTEL_") && value != " null" {
			t.Errorf("where nothing is set: %s", line)
		}
	}
}
