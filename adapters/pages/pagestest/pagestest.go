// Package pagestest holds the pages of services to what keyboards, screen
// readers and password managers need.
package pagestest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// page is one that was parsed.
type page struct {
	t    *testing.T
	root *html.Node
}

// Hold fails the test for what is amiss with a page's structure. It keeps the
// page, to be looked at, where BAILIWICK_PAGES names a folder.
func Hold(t *testing.T, name, text string) {
	t.Helper()
	if folder := os.Getenv("BAILIWICK_PAGES"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name+".html"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	p := page{t, root}
	p.hasOutline()
	p.runsNothing()
	p.namesEverything()
	p.tellsProblems()
}

func (p page) hasOutline() {
	p.t.Helper()
	for _, tag := range []string{"title", "main", "h1"} {
		if found := p.all(tag); len(found) != 1 || strings.TrimSpace(words(found[0])) == "" {
			p.t.Errorf("%d elements %s, want one with text in it", len(found), tag)
		}
	}
	if at(p.all("html")[0], "lang") == "" {
		p.t.Error("the page does not say its language")
	}
	if len(p.with("autofocus")) > 1 {
		p.t.Error("two elements want the focus")
	}
}

func (p page) runsNothing() {
	p.t.Helper()
	for _, tag := range []string{"script", "iframe", "object", "img", "link"} {
		if len(p.all(tag)) > 0 {
			p.t.Errorf("the page has a %s", tag)
		}
	}
	for n := range p.root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				p.t.Errorf("%s has an attribute %s", n.Data, a.Key)
			}
		}
	}
}

// namesEverything: each field has a label, which holds no hint that would be
// read twice, and says what a password manager may fill in.
func (p page) namesEverything() {
	p.t.Helper()
	ids := map[string]bool{}
	for _, n := range p.with("id") {
		if ids[at(n, "id")] {
			p.t.Errorf("two elements are %q", at(n, "id"))
		}
		ids[at(n, "id")] = true
	}
	for _, key := range []string{"aria-describedby", "aria-labelledby", "for"} {
		for _, n := range p.with(key) {
			for id := range strings.FieldsSeq(at(n, key)) {
				if !ids[id] {
					p.t.Errorf("%s of a %s names %q, which is not there", key, n.Data, id)
				}
			}
		}
	}
	labels := p.all("label")
	for _, l := range labels {
		if l.FirstChild == nil || l.FirstChild != l.LastChild || l.FirstChild.Type != html.TextNode {
			p.t.Errorf("the label %q holds more than its text", words(l))
		}
	}
	for _, n := range p.fields() {
		if !slices.ContainsFunc(labels, func(l *html.Node) bool { return at(l, "for") == at(n, "id") }) {
			p.t.Errorf("the field %q has no label", at(n, "name"))
		}
		if at(n, "autocomplete") == "" {
			p.t.Errorf("the field %q does not say what may be filled in", at(n, "name"))
		}
	}
	for _, n := range p.all("button") {
		if words(n) == "" {
			p.t.Error("a button has no name")
		}
	}
}

// tellsProblems: a problem is a sentence that is read at once, again at a field,
// and in the title.
func (p page) tellsProblems() {
	p.t.Helper()
	problems, tied := p.with("role", "alert"), false
	for _, n := range p.fields() {
		told := slices.Contains(strings.Fields(at(n, "aria-describedby")), "problem")
		tied = tied || told
		if at(n, "aria-invalid") != "" && !told {
			p.t.Errorf("the field %q does not say what is wrong", at(n, "name"))
		}
	}
	if title := words(p.all("title")[0]); strings.HasPrefix(title, "Error: ") != (len(problems) > 0) {
		p.t.Errorf("%d problems under the title %q", len(problems), title)
	}
	for _, n := range problems {
		text := words(n)
		if at(n, "id") != "problem" || strings.ToUpper(text[:1]) != text[:1] || !strings.HasSuffix(text, ".") {
			p.t.Errorf("the problem %q is no sentence, or cannot be named", text)
		}
		if len(p.fields()) > 0 && !tied {
			p.t.Errorf("no field is tied to the problem %q", text)
		}
	}
}

// fields are those that a person fills in.
func (p page) fields() []*html.Node {
	return slices.DeleteFunc(p.all("input"), func(n *html.Node) bool {
		return at(n, "type") == "hidden" || slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "hidden" })
	})
}

func (p page) all(tag string) (found []*html.Node) {
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			found = append(found, n)
		}
	}
	return found
}

// with returns the elements that have an attribute, with one of the values if
// there are any.
func (p page) with(key string, values ...string) (found []*html.Node) {
	for n := range p.root.Descendants() {
		if slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key && (values == nil || slices.Contains(values, a.Val)) }) {
			found = append(found, n)
		}
	}
	return found
}

func at(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}
