package process_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"bailiwick.dev/adapters/process"
)

// With AS_SERVICE the test's own binary is a service.
func TestMain(m *testing.M) {
	if os.Getenv("AS_SERVICE") != "" {
		process.Main("tasks", map[string]process.Command{
			"serve": {Does: "answer requests", Run: func(context.Context) error { return nil }},
			"work":  {Does: "empty the trash", Run: func(context.Context) error { return errors.Join(errors.New("one"), errors.New("two")) }},
		})
		return
	}
	os.Exit(m.Run())
}

// command returns how the service ends, and what it writes.
func command(t *testing.T, args ...string) (code int, out, problems string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "AS_SERVICE=1")
	var o, p strings.Builder
	cmd.Stdout, cmd.Stderr = &o, &p
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), o.String(), p.String()
}

func TestHelpNamesEachCommand(t *testing.T) {
	t.Parallel()
	for _, ask := range []string{"help", "--help", "-h"} {
		code, out, problems := command(t, ask)
		if code != 0 || problems != "" || !strings.Contains(out, "serve         answer requests\n") || !strings.Contains(out, "work          empty the trash\n") {
			t.Errorf("%s: %d\n%s%s", ask, code, out, problems)
		}
	}
	for _, wrong := range [][]string{{}, {"sreve"}, {"serve", "work"}} {
		if code, out, problems := command(t, wrong...); code != 2 || out != "" || !strings.Contains(problems, "answer requests") {
			t.Errorf("%q: %d\n%s%s", wrong, code, out, problems)
		}
	}
}

func TestARoleEndsTheProcess(t *testing.T) {
	t.Parallel()
	if code, _, problems := command(t, "serve"); code != 0 || problems != "" {
		t.Errorf("serve: %d\n%s", code, problems)
	}
	code, _, problems := command(t, "work")
	if lines := strings.Split(strings.TrimSpace(problems), "\n"); code != 1 || len(lines) != 2 || !strings.Contains(lines[0], `"error":"one"`) || !strings.Contains(lines[1], `"error":"two"`) {
		t.Errorf("work: %d\n%s", code, problems)
	}
}
