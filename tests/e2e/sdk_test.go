package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	bailiwick "bailiwick.dev/openapi/sdk/go"
	"bailiwick.dev/tests/needs"
)

// examplesOf returns the programs in an SDK's README: a machine's, and one that
// acts for a person.
func examplesOf(t *testing.T, sdk, language string) (machine, person string) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "openapi", "sdk", sdk, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(strings.ReplaceAll(string(readme), "http://localhost:8080", platform.URL), -1)
	if len(m) != 2 {
		t.Fatalf("the README of %s shows %d programs", sdk, len(m))
	}
	return m[0][1], m[1][1]
}

// runExample runs a command with a machine client's credentials, and wants the
// lines that every SDK's example prints.
func runExample(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx := within(t, 2*time.Minute)
	c, err := platform.Register(ctx, "Example Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	if err := platform.Equip(ctx, c, owner); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CLIENT_ID="+c.MachineID, "CLIENT_SECRET="+c.MachineSecret)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if want := "OM-1 Order desks\n422 unknown_field\ntasks.csv\n"; err != nil || !strings.EqualFold(string(out), want) {
		t.Errorf("the example prints\n%s%s, %v, want\n%s", out, problems.String(), err, want)
	}
}

// runLogin runs a command that acts for a person who logs in where it says, and
// shows who that is and the person's projects.
func runLogin(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx := within(t, 2*time.Minute)
	c, err := platform.Register(ctx, "Example Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		made, err := owner.CreateProjectWithResponse(ctx, nil, bailiwick.ProjectDraft{Name: fmt.Sprintf("Move %d", i)})
		if err != nil || made.StatusCode() != http.StatusCreated {
			t.Fatalf("%v, %v", made, err)
		}
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CLIENT_ID="+c.FirstClient)
	out := &page{opened: func(at string) {
		back, err := platform.Authorize(ctx, at, c.Owner)
		if err != nil {
			t.Error(err)
			return
		}
		if resp, err := http.Get(back.String()); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("the program answers the browser with %v, %v", resp, err)
		}
	}}
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	shown := out.shown.String()
	_, shown, _ = strings.Cut(shown, "Logged in: ")
	if err != nil || !strings.HasPrefix(shown, c.Owner.Email+"\n") || !strings.Contains(shown, "Move 0\n") || !strings.Contains(shown, "Move 1\n") {
		t.Errorf("the example prints\n%s, %v", out.shown.String(), err)
	}
}

func TestGoExamplesRun(t *testing.T) {
	machine, person := examplesOf(t, "go", "go")
	file := filepath.Join(t.TempDir(), "main.go")
	put(t, file, machine)
	runExample(t, "go", "run", file)
	put(t, file, person)
	runLogin(t, "go", "run", file)
}

func TestTypeScriptExamplesRun(t *testing.T) {
	needs.Command(t, "there is no npm, or no registry", "npm", "ping")
	sdk := filepath.Join(root, "openapi", "sdk", "typescript")
	script(t, sdk, "npm ci --silent --no-audit --no-fund && npm test --silent")
	machine, person := examplesOf(t, "typescript", "ts")
	imported(t, sdk, machine, person)
	hurried := strings.Replace(person, "?? 0) < 30", "?? 0) < 3600", 1) // a token is good for less: each is refreshed
	if hurried == person {
		t.Error("the person's program refreshes no token in time")
	}
	// Within the package, so that it is found by its name.
	put(t, filepath.Join(sdk, "dist", "machine.ts"), machine)
	put(t, filepath.Join(sdk, "dist", "person.ts"), hurried)
	script(t, sdk, "npx tsc --strict --target es2022 --module nodenext --types node --skipLibCheck dist/machine.ts dist/person.ts")
	runExample(t, "node", filepath.Join(sdk[len(root)+1:], "dist", "machine.js"))
	runLogin(t, "node", filepath.Join(sdk[len(root)+1:], "dist", "person.js"))
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// imported installs the packed package in a plain ESM project, as people get it,
// imports it there, and compiles the examples as "tsc --init" wants it.
func imported(t *testing.T, sdk, machine, person string) {
	t.Helper()
	project := t.TempDir()
	for name, text := range map[string]string{
		"package.json": `{"private":true,"type":"module"}`,
		"machine.ts":   machine,
		"person.ts":    person,
		"main.js":      "import { clientCredentials, connect, listTasks } from '@bailiwick/sdk';\nfor (const f of [clientCredentials, connect, listTasks]) if (typeof f !== 'function') process.exit(1);\n",
	} {
		put(t, filepath.Join(project, name), text)
	}
	script(t, sdk, "npm pack --silent --pack-destination "+project)
	script(t, project, "npm install --silent --no-audit --no-fund --omit=dev ./*.tgz && node main.js && test -f node_modules/@bailiwick/sdk/dist/index.d.ts")
	script(t, project, "npm install --silent --no-audit --no-fund typescript@5.9 @types/node@20 openid-client@6.9 && npx tsc --init --types node && for exact in true false; do npx tsc --noEmit --exactOptionalPropertyTypes $exact || exit 1; done")
}

func script(t *testing.T, dir, commands string) {
	t.Helper()
	cmd := exec.CommandContext(within(t, 3*time.Minute), "bash", "-c", commands)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", commands, err, out)
	}
}
