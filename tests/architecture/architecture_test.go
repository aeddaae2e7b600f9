// Package architecture keeps the import rules true that no compiler checks.
package architecture

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// rules say, of the packages whose path matches, which imports from outside
// the standard library are let in (allow) and which of those are not (deny).
var rules = []struct{ packages, allow, deny, why string }{
	{`^bailiwick\.dev/domain(/|$)`, `^(bailiwick\.dev/domain/|github\.com/google/uuid$|pgregory\.net/rapid$)`, `^$`,
		"the domain knows no library that does I/O"},
	{`^bailiwick\.dev/workflows(/|$)`, `^(bailiwick\.dev/(domain|workflows)/|go\.temporal\.io/|github\.com/google/uuid$|github\.com/stretchr/testify/)`, `^$`,
		"workflows know the domain and Temporal"},
	{`^bailiwick\.dev/adapters(/|$)`, `.`, `^(go\.temporal\.io/|bailiwick\.dev/(services|workflows|openapi|tests|deploy)(/|$)|github\.com/ory/)`,
		"adapters know the domain and their technology"},
	{`^bailiwick\.dev/services/`, `.`, `^bailiwick\.dev/(services|openapi|tests|deploy)/`,
		"a service knows no other service"},
	{`^bailiwick\.dev/services/(users|authz|tasks|reports)(/|$)`, `.`, `^github\.com/ory/`,
		"fosite is the auth service's alone"},
	{`^bailiwick\.dev/services/`, `.`, `^github\.com/(casbin|jackc|xuri|johnfercher)/`,
		"technologies are reached through adapters"},
	{`^bailiwick\.dev/tests(/|$)`, `.`, `^bailiwick\.dev/(adapters|domain|services|workflows)(/|$)`,
		"end-to-end tests see what a client sees"},
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, p := range packages(t) {
		seen++
		for _, r := range rules {
			if !regexp.MustCompile(r.packages).MatchString(p.ImportPath) {
				continue
			}
			allow, deny := regexp.MustCompile(r.allow), regexp.MustCompile(r.deny)
			for _, imp := range append(append(p.Imports, p.TestImports...), p.XTestImports...) {
				inside := strings.HasPrefix(imp, ownModule(p.ImportPath)+"/") || imp == p.ImportPath
				if standard(imp) || inside {
					continue
				}
				if !allow.MatchString(imp) || deny.MatchString(imp) {
					t.Errorf("%s imports %s: %s", p.ImportPath, imp, r.why)
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d packages were looked at", seen)
	}
}

// A service reaches its own store and no other's.
func TestServiceTouchesOnlyItsOwnStore(t *testing.T) {
	t.Parallel()
	store := regexp.MustCompile(`^bailiwick\.dev/adapters/postgres/(\w+)db$`)
	for _, p := range packages(t) {
		service, ok := strings.CutPrefix(p.ImportPath, "bailiwick.dev/services/")
		if !ok {
			continue
		}
		service, _, _ = strings.Cut(service, "/")
		for _, imp := range append(p.Imports, p.TestImports...) {
			if m := store.FindStringSubmatch(imp); m != nil && m[1] != service {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

func packages(t *testing.T) (all []pkg) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "work")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// ownModule returns the module of one of our packages: services are modules one level deeper.
func ownModule(path string) string {
	parts := strings.Split(path, "/")
	n := 2
	if len(parts) > 2 && (parts[1] == "services" || parts[1] == "deploy") {
		n = 3
	}
	return strings.Join(parts[:min(n, len(parts))], "/")
}

func standard(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return !strings.Contains(first, ".")
}
