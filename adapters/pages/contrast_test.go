package pages

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What is written on what, and what must be told apart from what is around it:
// WCAG 2.2, 1.4.3 and 1.4.11.
var contrasts = []struct {
	ink, paper string
	least      float64
}{
	{"ink", "paper", 4.5}, {"ink", "card", 4.5}, {"soft", "card", 4.5}, {"accent", "card", 4.5}, {"good", "card", 4.5},
	{"on", "accent", 4.5}, {"on", "press", 4.5}, {"bad", "bad-paper", 4.5},
	{"line", "card", 3}, {"bad", "card", 3},
}

// schemes returns the colours of the light scheme and of the dark one, which
// the style names first.
func schemes(t *testing.T) map[string]map[string]string {
	t.Helper()
	roots := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(style, -1)
	if len(roots) != 2 {
		t.Fatalf("%d schemes", len(roots))
	}
	found := map[string]map[string]string{"light": {}, "dark": {}}
	for i, name := range []string{"light", "dark"} {
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6})\b`).FindAllStringSubmatch(roots[i][1], -1) {
			found[name][m[1]] = m[2]
		}
	}
	return found
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	rgb, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 24)
	if err != nil {
		t.Fatalf("the colour %q: %v", colour, err)
	}
	sum := 0.0
	for i, weight := range []float64{.0722, .7152, .2126} {
		c := float64(rgb>>(8*i)&0xff) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestTextStandsOutInBothSchemes(t *testing.T) {
	t.Parallel()
	for name, colours := range schemes(t) {
		for _, c := range contrasts {
			a, b := luminance(t, colours[c.ink]), luminance(t, colours[c.paper])
			if got := (max(a, b) + .05) / (min(a, b) + .05); got < c.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", name, c.ink, c.paper, got, c.least)
			}
		}
	}
}

// Else a pair that nobody measured could come in.
func TestStyleUsesNoColourBesidesItsSchemes(t *testing.T) {
	t.Parallel()
	rest := regexp.MustCompile(`:root \{[^}]*\}`).ReplaceAllString(style, "")
	for _, m := range regexp.MustCompile(`(?:color|background): ([^;}]+)`).FindAllStringSubmatch(rest, -1) {
		if v := strings.TrimSpace(m[1]); v != "inherit" && v != "transparent" && !strings.Contains(v, "var(--") {
			t.Errorf("the style uses the colour %q", v)
		}
	}
}
