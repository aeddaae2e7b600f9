package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
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

// ended starts a process of PostgreSQL's user that ends and stays a zombie.
func ended(t *testing.T, p *platform, args ...string) int {
	t.Helper()
	pid := begun(t, p, args...)
	for deadline := time.Now().Add(10 * time.Second); startTime(pid) != ""; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not end")
		}
	}
	return pid
}

func begun(t *testing.T, p *platform, args ...string) int {
	t.Helper()
	args = p.as("postgres", args)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "/"
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

// A pid that a killed server has left may be anybody's by now.
func TestPidThatIsNoLongerPostgresIsNotTrusted(t *testing.T) {
	if needs[0].found() == "" {
		t.Skip("there is no PostgreSQL")
	}
	clone(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("BAILIWICK_PORT_POSTGRES", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	_ = l.Close()
	p, err := newPlatform()
	if err == nil {
		err = p.loadSecrets()
	}
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "postgres")
	if out, err := exec.Command("cp", "/bin/sleep", other).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	t.Cleanup(p.postgresDown)
	if err := p.postgresUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.postgresDown()
	for what, pid := range map[string]int{"a zombie": ended(t, p, other, "0"), "another program": begun(t, p, "sleep", "60"), "another postgres": begun(t, p, other, "60")} {
		left := fmt.Sprintf("%d\n%s\n1\n%d\n\n127.0.0.1\n1 1\nready   \n", pid, p.path("postgres"), p.ports["POSTGRES"])
		if err := os.WriteFile(p.path("postgres", "postmaster.pid"), []byte(left), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := p.postmaster(); got != 0 {
			t.Errorf("%s is taken for our server", what)
		}
		if err := p.postgresUp(t.Context()); err != nil {
			t.Fatalf("after %s: %v", what, err)
		}
		if got := p.postmaster(); got == 0 || got == pid || p.elsewhere() != nil {
			t.Errorf("after %s: our server is %d", what, got)
		}
		if p.postgresDown(); p.postmaster() != 0 {
			t.Errorf("after %s it is not stopped", what)
		}
	}
}
