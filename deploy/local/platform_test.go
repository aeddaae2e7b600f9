package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// clone makes an empty one the working directory.
func clone(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "BAILIWICK_") {
			t.Setenv(name, value) // put back when the test ends
			_ = os.Unsetenv(name)
		}
	}
	if err := os.WriteFile("go.work", nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func gateway(t *testing.T, want int) *platform {
	t.Helper()
	p, err := newPlatform()
	if err != nil {
		t.Fatal(err)
	}
	if got := p.ports["GATEWAY"]; got != want {
		t.Errorf("the gateway is at %d, want %d", got, want)
	}
	return p
}

func TestPlatformThatRunsKeepsItsOffset(t *testing.T) {
	clone(t)
	t.Setenv("BAILIWICK_PORT_OFFSET", "900")
	p := gateway(t, 8980)
	if err := p.keepOffset(); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BAILIWICK_PORT_OFFSET", "")
	gateway(t, 8080) // nothing runs
	data, err := json.Marshal(record{PID: os.Getpid(), Started: startTime(os.Getpid())})
	if err == nil {
		err = os.WriteFile(p.path("run", "mail.json"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway(t, 8980).elsewhere(); err != nil {
		t.Error(err)
	}
	t.Setenv("BAILIWICK_PORT_OFFSET", "900")
	if err := gateway(t, 8980).elsewhere(); err != nil {
		t.Error(err)
	}
	for _, other := range []string{"0", "500"} {
		t.Setenv("BAILIWICK_PORT_OFFSET", other)
		p, err := newPlatform()
		if err != nil {
			t.Fatal(err)
		}
		want := "BAILIWICK_PORT_OFFSET is " + other + ", but the platform runs with 900"
		for name, command := range map[string]func() error{"up": func() error { return up(t.Context(), p) }, "status": func() error { return status(t.Context(), p) }} {
			if err := command(); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
	if err := os.Remove(filepath.Join(p.path("run"), "mail.json")); err != nil {
		t.Fatal(err)
	}
	gateway(t, 8580) // it ended
}
