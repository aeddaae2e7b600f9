// Package e2e tries the whole platform as its users do, on real parts that it
// starts beside whatever else runs on this machine.
package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"bailiwick.dev/tests/needs"
	"bailiwick.dev/tests/story"
)

const (
	root  = "../.."
	state = ".local/e2e"
)

// offset moves the platform's ports; run chooses it before any test.
var offset int

var platform = &story.Platform{Say: func(string, ...any) {}}

func address(port int) string { return "http://localhost:" + strconv.Itoa(port+offset) }

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	release, err := needs.Machine()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer release()
	_ = local("down") // what a run that was cut off has left
	if err := os.RemoveAll(filepath.Join(root, state)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := local("down"); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	if err := collect(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := upWherePortsAreFree(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// collect takes the platform's spans (OTLP over HTTP) and keeps them beside its logs.
func collect() error {
	if err := os.MkdirAll(filepath.Join(root, state), 0o755); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(root, state, "traces"))
	if err != nil {
		return err
	}
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(file, r.Body) // what is lost is missed by the test that reads it
	}))
	return os.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", srv.URL)
}

// upWherePortsAreFree starts the platform; whatever else this machine runs must
// not fail a test.
func upWherePortsAreFree() (err error) {
	for offset = 3000; offset <= 12000; offset += 1500 {
		if err = local("up"); err == nil {
			platform.URL, platform.MailURL = address(8080), address(8025)
			return nil
		}
		if !strings.Contains(err.Error(), "is taken") {
			return err
		}
	}
	return err
}

// local runs deploy/local for the tests' own platform.
func local(command string) error {
	cmd := exec.Command("go", "run", "./deploy/local", command)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "BAILIWICK_STATE="+state, "BAILIWICK_PORT_OFFSET="+strconv.Itoa(offset))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", command, err, out)
	}
	return nil
}

// kill ends a process of the platform as a crash does.
func kill(t *testing.T, name string) {
	t.Helper()
	signal(t, name, syscall.SIGKILL)
}

func signal(t *testing.T, name string, how syscall.Signal) {
	t.Helper()
	var record struct {
		PID int `json:"pid"`
	}
	data, err := os.ReadFile(filepath.Join(root, state, "run", name+".json"))
	if err == nil {
		err = json.Unmarshal(data, &record)
	}
	if err == nil {
		err = syscall.Kill(record.PID, how)
	}
	if err != nil {
		t.Fatalf("%s to %s: %v", how, name, err)
	}
}

func up(t *testing.T) {
	t.Helper()
	if err := local("up"); err != nil {
		t.Fatal(err)
	}
}

// within returns a context for a test that waits for something.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
