package architecture

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var code = regexp.MustCompile(`(?:fault\.(?:New|Wrap)\([^,]+,|newProblem\([^,]+,|Code:|\.Code(?:, w\.Detail)? =) "([a-z0-9_]+)"`)

// A problem's type leads to a section that says what it means.
func TestEveryProblemTypeIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(root, "openapi", "site", "problems.html"))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]bool{"too_long": true, "code": true} // of errors[], which detail explains
	for _, dir := range []string{"domain", "adapters", "services", "workflows"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "conformance") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, m := range code.FindAllStringSubmatch(string(source), -1) {
				if !fields[m[1]] && !strings.Contains(string(page), `id="`+m[1]+`"`) {
					t.Errorf("%s: %s has no section in openapi/site/problems.html", path, m[1])
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
