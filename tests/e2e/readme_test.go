package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"bailiwick.dev/tests/story"
)

var block = regexp.MustCompile("(?s)```sh\n(.*?)```")

// Every command block of the README runs as it stands, one after the other in
// one shell, after a demo. Only the ports are those of the tests' platform, and
// who logs in where the README says so is no person.
func TestReadmeRuns(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	dir := t.TempDir()
	owner := demo(t, dir)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script := "set -e -o pipefail\n"
	blocks := block.FindAllStringSubmatch(string(readme), -1)
	for _, b := range blocks {
		script += b[1]
	}
	if len(blocks) < 5 {
		t.Fatalf("the README has %d command blocks", len(blocks))
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", strings.ReplaceAll(script, "http://localhost:8080", platform.URL))
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := &page{opened: func(at string) {
		back, err := platform.Authorize(ctx, at, owner)
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintln(in, back)
	}}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil || !out.done {
		t.Fatalf("%v, a page was opened: %t\n%s", err, out.done, out.shown.Bytes())
	}
	book, err := excelize.OpenFile(filepath.Join(dir, "tasks.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows(book.GetSheetName(0))
	if err != nil || !strings.Contains(joined(rows), "Carry the first desk") {
		t.Errorf("the report holds %v, %v", rows, err)
	}
}

var ours = regexp.MustCompile(`\.local/(secrets|log|run|nginx|files|backup)\b`)

// Every command block of the operators' manual runs as it stands, one after the
// other in one shell. Only the ports and the folder are those of the tests' platform.
func TestManualRuns(t *testing.T) {
	ctx := within(t, 2*time.Minute)
	if _, err := platform.Register(ctx, "Manual Ltd"); err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	script := "set -e -o pipefail\n"
	for _, b := range block.FindAllStringSubmatch(string(manual), -1) {
		script += b[1]
	}
	script = ours.ReplaceAllString(script, state+"/$1")
	script = regexp.MustCompile(`(127\.0\.0\.1:|localhost:|PGPORT=)\d+`).ReplaceAllStringFunc(script, func(at string) string {
		port := strings.LastIndexAny(at, ":=") + 1
		return at[:port] + strconv.Itoa(number(t, at[port:])+offset)
	})
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, want := range []string{"204\n", `{"gate":`, " active ", `"request_id":"first-look"`, `"msg":"signing key"`, `{"keys":[`, "entries hold"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("nothing shows %q:\n%s", want, out)
		}
	}
}

// page opens the authorization request that a script prints.
type page struct {
	shown  bytes.Buffer
	opened func(at string)
	done   bool
}

var request = regexp.MustCompile(`(?m)^http\S*/auth/authorize\?\S*$`)

// Write implements io.Writer.
func (p *page) Write(b []byte) (int, error) {
	n, err := p.shown.Write(b)
	if at := request.Find(p.shown.Bytes()); at != nil && !p.done {
		p.done = true
		p.opened(string(at))
	}
	return n, err
}

// demo leaves in dir what make demo leaves.
func demo(t *testing.T, dir string) story.Person {
	t.Helper()
	ctx := within(t, time.Minute)
	c, err := platform.Register(ctx, "Readme Ltd")
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
	if _, _, err := platform.Work(ctx, owner); err != nil {
		t.Fatal(err)
	}
	body, err := json.MarshalIndent(map[string]string{"client_id": c.MachineID, "client_secret": c.MachineSecret}, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, ".local", "demo"), 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, ".local", "demo", "credentials.json"), body, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c.Owner
}
