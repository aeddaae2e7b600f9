package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
)

// need is a program that the platform runs, and the Debian package it comes in.
type need struct{ what, pattern, pkg string }

var needs = []need{
	{"PostgreSQL", "/usr/lib/postgresql/*/bin/initdb", "postgresql"},
	{"NGINX", "/usr/sbin/nginx", "nginx-light"},
}

// testNeeds is what only the tests run: they read the PDF files that were made,
// and use the pages as a person does.
var testNeeds = []need{
	{"poppler", "/usr/bin/pdftotext", "poppler-utils"},
	{"Chromium", "/usr/bin/chromium", "chromium"},
}

func (n need) found() string {
	found, _ := filepath.Glob(n.pattern)
	if len(found) == 0 {
		if path, err := exec.LookPath(filepath.Base(n.pattern)); err == nil {
			if real, err := filepath.EvalSymlinks(path); err == nil {
				path = real
			}
			return path
		}
		return ""
	}
	sort.Strings(found)
	return found[len(found)-1]
}

// setup installs the packages that are missing, those of the tests too, and
// builds the Temporal CLI.
func setup(ctx context.Context, p *platform) error {
	if err := packages(ctx, append(needs, testNeeds...)); err != nil {
		return err
	}
	_, err := p.temporalCLI(ctx)
	return err
}

func packages(ctx context.Context, wanted []need) error {
	var missing, names []string
	for _, n := range wanted {
		if n.found() == "" {
			missing, names = append(missing, n.pkg), append(names, n.what)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%s missing: install PostgreSQL 15 or newer (initdb) and NGINX 1.22 or newer, and for the tests poppler (pdftotext) and Chromium, so that they are found on PATH, then try again", strings.Join(names, " and "))
	}
	// The packages' own servers must not be started: ours are others.
	install := "apt-get install -y --no-install-recommends " + strings.Join(missing, " ")
	script := "set -e; export DEBIAN_FRONTEND=noninteractive; " + install + " || { apt-get update; " + install + "; }"
	args := []string{"sh", "-c", script}
	if !isRoot() {
		fmt.Printf("Packages are missing: %s. They are installed with sudo, which may ask for your password:\n  sudo %s\n", strings.Join(missing, ", "), install)
		args = append([]string{"sudo"}, args...)
	} else {
		fmt.Println("installing", strings.Join(missing, ", "))
	}
	return run(ctx, "", environment("RUNLEVEL=1"), args...)
}

// temporalCLI returns the Temporal CLI: TEMPORAL_CLI, or one on PATH, or the
// one built here from tools/temporal, whose go.sum pins it.
func (p *platform) temporalCLI(ctx context.Context) (string, error) {
	if path := os.Getenv("TEMPORAL_CLI"); path != "" {
		return path, nil
	}
	if path, err := exec.LookPath("temporal"); err == nil {
		return path, nil
	}
	bin := p.bin("temporal")
	if exists(bin) {
		return bin, nil
	}
	fmt.Println("building the Temporal CLI, once: some minutes")
	err := run(ctx, filepath.Join(p.root, "tools", "temporal"), environment("GOWORK=off", "CGO_ENABLED=0"),
		"go", "build", "-ldflags=-s -w", "-o", bin, "github.com/temporalio/cli/cmd/temporal")
	return bin, err
}

// run runs a command and shows what it says only if it fails.
func run(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", strings.Join(args, " "), err), errors.New(strings.TrimSpace(string(out))))
	}
	return nil
}
