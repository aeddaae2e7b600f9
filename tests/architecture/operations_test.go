package architecture

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// variable is one of the environment's, as the manual's table shows it.
type variable struct {
	initial string // what it is where it is not set
	readers []string
}

// source is the code of one package, without its tests.
type source struct {
	types map[string]ast.Expr
	funcs map[string]*ast.FuncDecl
}

func sourceOf(t *testing.T, dir string) source {
	t.Helper()
	s := source{map[string]ast.Expr{}, map[string]*ast.FuncDecl{}}
	files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(files), err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				s.types[n.Name.Name] = n.Type
			case *ast.FuncDecl:
				s.funcs[n.Name.Name] = n
			}
			return true
		})
	}
	return s
}

// configuration returns the type of the cfg that a function has config.Load fill; nil if it has none.
func configuration(f *ast.FuncDecl) (of ast.Expr) {
	loads := false
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			loads = loads || ok && x.Name == "config" && n.Sel.Name == "Load"
		case *ast.ValueSpec:
			if n.Names[0].Name == "cfg" {
				of = n.Type
			}
		}
		return true
	})
	if !loads {
		return nil
	}
	return of
}

// read notes the variables of a configuration, and of what it embeds.
func read(all map[string]*variable, of ast.Expr, service, common source, reader string) {
	switch of := of.(type) {
	case *ast.Ident:
		read(all, service.types[of.Name], service, common, reader)
	case *ast.SelectorExpr: // config.Server
		read(all, common.types[of.Sel.Name], common, common, reader)
	case *ast.StructType:
		for _, field := range of.Fields.List {
			if len(field.Names) == 0 {
				read(all, field.Type, service, common, reader)
			}
			if field.Tag == nil {
				continue
			}
			tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
			name, options, _ := strings.Cut(tag.Get("env"), ",")
			v := all["BAILIWICK_"+name]
			if v == nil {
				v = &variable{}
				all["BAILIWICK_"+name] = v
			}
			if v.initial = tag.Get("envDefault"); strings.Contains(options, "required") {
				v.initial = "required"
			}
			v.readers = append(v.readers, reader)
		}
	}
}

// kebab is how a command is named whose function is rotateKeys.
func kebab(name string) string {
	return strings.ToLower(regexp.MustCompile(`[A-Z]`).ReplaceAllString(name, "-$0"))
}

// The manual's table has every variable, with its default and those who read it.
func TestManualHasEveryVariable(t *testing.T) {
	t.Parallel()
	common := sourceOf(t, "adapters/config")
	all, commands := map[string]*variable{}, map[string]int{}
	for _, name := range []string{"auth", "authz", "reports", "tasks", "users"} {
		service := sourceOf(t, "services/"+name)
		service.funcs["migrate"] = sourceOf(t, "adapters/process").funcs["Migrate"]
		for _, f := range slices.Sorted(maps.Keys(service.funcs)) {
			if of := configuration(service.funcs[f]); of != nil {
				commands[kebab(f)]++
				read(all, of, service, common, name+" "+kebab(f))
			}
		}
	}
	if commands["serve"] != 5 || commands["migrate"] != 5 || commands["work"] != 3 {
		t.Errorf("commands that read variables: %v", commands)
	}
	manual, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `(BAILIWICK_\\w+)` .*$").FindAllStringSubmatch(string(manual), -1)
	for i, name := range slices.Sorted(maps.Keys(all)) {
		v := all[name]
		row := fmt.Sprintf("| `%s` | %s | %s | ", name, v.initial, strings.Join(briefly(v.readers, commands), ", "))
		if i >= len(rows) || !strings.HasPrefix(rows[i][0], row) {
			t.Errorf("row %d of the table must begin with\n%s", i+1, row)
		}
	}
	if len(rows) != len(all) {
		t.Errorf("the table has %d variables, the services have %d", len(rows), len(all))
	}
}

// briefly says "every serve" of what all services that serve do.
func briefly(readers []string, commands map[string]int) (all []string) {
	for _, command := range slices.Sorted(maps.Keys(commands)) {
		who := slices.DeleteFunc(slices.Clone(readers), func(r string) bool { return !strings.HasSuffix(r, " "+command) })
		if len(who) == commands[command] && len(who) > 1 {
			who = []string{"every " + command}
		}
		all = append(all, who...)
	}
	return all
}
