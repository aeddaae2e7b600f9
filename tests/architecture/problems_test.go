package architecture

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// code finds a code where it is written, or the name of the constant or
// parameter that holds it; constant is what such a name stands for.
var (
	code     = regexp.MustCompile(`(?:fault\.(?:New|Wrap)\([^,]+,|newProblem\([^,]+,|Code:|\.Code(?:, w\.Detail)? =) (?:"([a-z0-9_]+)"|([A-Za-z]\w*)[,)}])`)
	constant = regexp.MustCompile(`(?m)^(?:const |\t)(\w+) += "([a-z0-9_]+)"$`)
)

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
			named := map[string]string{}
			for _, m := range constant.FindAllStringSubmatch(string(source), -1) {
				named[m[1]] = m[2]
			}
			for _, m := range code.FindAllStringSubmatch(string(source), -1) {
				is := cmp.Or(m[1], named[m[2]], m[2])
				if !fields[is] && !strings.Contains(string(page), `id="`+is+`"`) {
					t.Errorf("%s: %s has no section in openapi/site/problems.html", path, is)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
