// Package images builds the services' images and runs them.
package images

import (
	"encoding/json"
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

func TestComposeFileIsRead(t *testing.T) {
	needsDocker(t)
	needs.Command(t, "there is no docker-compose", "docker-compose", "version")
	if out, err := exec.CommandContext(t.Context(), "docker-compose", "-f", root+"/deploy/docker/docker-compose.yaml", "--env-file", root+"/deploy/docker/example.env", "config", "-q").CombinedOutput(); err != nil {
		t.Errorf("docker-compose: %v\n%s", err, out)
	}
}
