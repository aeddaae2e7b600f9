package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"bailiwick.dev/tests/needs"
)

// exampleOf returns the one block of code in an SDK's README.
func exampleOf(t *testing.T, sdk, language string) string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root, "openapi", "sdk", sdk, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(readme)
	if m == nil {
		t.Fatalf("the README of %s shows no %s", sdk, language)
	}
	return strings.ReplaceAll(string(m[1]), "http://localhost:8080", platform.URL)
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

func TestGoExampleRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(exampleOf(t, "go", "go")), 0o600); err != nil {
		t.Fatal(err)
	}
	runExample(t, "go", "run", file)
}

func TestTypeScriptExampleRuns(t *testing.T) {
	needs.Command(t, "there is no npm, or no registry", "npm", "ping")
	sdk := filepath.Join(root, "openapi", "sdk", "typescript")
	// Within the package, so that it is found by its name.
	example := filepath.Join("dist", "readme.ts")
	script(t, sdk, "npm ci --silent --no-audit --no-fund && npm test --silent")
	text := exampleOf(t, "typescript", "ts")
	imported(t, sdk, text)
	if err := os.WriteFile(filepath.Join(sdk, example), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	script(t, sdk, "npx tsc --strict --target es2022 --module nodenext --types node --skipLibCheck "+example)
	runExample(t, "node", filepath.Join(sdk[len(root)+1:], "dist", "readme.js"))
}

// imported installs the packed package in a plain ESM project, as people get it,
// imports it there, and compiles the example as "tsc --init" wants it.
func imported(t *testing.T, sdk, example string) {
	t.Helper()
	project := t.TempDir()
	for name, text := range map[string]string{
		"package.json": `{"private":true,"type":"module"}`,
		"readme.ts":    example,
		"main.js":      "import { clientCredentials, connect, listTasks } from '@bailiwick/sdk';\nfor (const f of [clientCredentials, connect, listTasks]) if (typeof f !== 'function') process.exit(1);\n",
	} {
		if err := os.WriteFile(filepath.Join(project, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script(t, sdk, "npm pack --silent --pack-destination "+project)
	script(t, project, "npm install --silent --no-audit --no-fund --omit=dev ./*.tgz && node main.js && test -f node_modules/@bailiwick/sdk/dist/index.d.ts")
	script(t, project, "npm install --silent --no-audit --no-fund typescript@5.9 @types/node@20 && npx tsc --init --types node && for exact in true false; do npx tsc --noEmit --exactOptionalPropertyTypes $exact || exit 1; done")
}

func script(t *testing.T, dir, commands string) {
	t.Helper()
	cmd := exec.CommandContext(within(t, 3*time.Minute), "bash", "-c", commands)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", commands, err, out)
	}
}
