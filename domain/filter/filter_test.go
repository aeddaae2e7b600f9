package filter_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/filter"
)

var (
	now    = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	me     = uuid.MustParse("0199a1b2-c3d4-7e5f-8a6b-000000000009")
	fields = []filter.Field{
		{Name: "status", Kind: filter.Text, Values: nil}, {Name: "priority", Kind: filter.Text, Values: []string{"low", "high"}},
		{Name: "title", Kind: filter.Text}, {Name: "due", Kind: filter.Time, Nullable: true},
		{Name: "assignee", Kind: filter.Person, Many: true}, {Name: "label", Kind: filter.Text, Many: true},
		{Name: "estimate", Kind: filter.Number, Nullable: true},
	}
)

// row is a task with a due date and nobody assigned; null has nothing at all.
func row(field string) []any {
	return map[string][]any{
		"status": {"open"}, "priority": {"high"}, "title": {"Order Desks"}, "due": {now.Add(48 * time.Hour)},
		"label": {"x", "y z"}, "estimate": {int64(30)},
	}[field]
}

func null(field string) []any {
	return map[string][]any{"status": {"open"}, "priority": {"low"}, "title": {""}}[field]
}

func TestFilterMeansWhatItSays(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]bool{ // of row, of null
		"":                                {true, true},
		"  ":                              {true, true},
		"status = open":                   {true, true},
		"status != open":                  {false, false},
		"status in (open,review)":         {true, true},
		"status not in (open, review)":    {false, false},
		"priority = high":                 {true, false},
		`title ~ "desk"`:                  {true, false},
		`title = "Order Desks"`:           {true, false},
		"due < now+7d":                    {true, false},
		"not due < now+7d":                {false, true}, // two values: what is empty is not before
		"due >= 2026-02-02T12:00:00Z":     {true, false},
		"due > 2026-02-02T13:00:00+01:00": {false, false},
		"due > 2026-02-02":                {true, false},
		"due is empty":                    {false, true},
		"due is not empty":                {true, false},
		"assignee = me":                   {false, false},
		"not assignee = me":               {true, true},
		"assignee is empty":               {true, true},
		`label = "y z"`:                   {true, false},
		`not label = x`:                   {false, true},
		"estimate <= 30":                  {true, false},
		"estimate < 30 or status = open":  {true, true},
		"status = done or priority = high and label = x":                                 {true, false},
		"(status = done or priority = high) and label = q":                               {false, false},
		"NOT (status = open AND due is empty)":                                           {true, false},
		`status in (open,review) and due < now+7d and assignee = me and not label = "x"`: {false, false},
	} {
		e, err := filter.Parse(text, fields, filter.Env{Now: now, Me: me})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := [2]bool{filter.Match(e, row), filter.Match(e, null)}; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestRefusalNamesThePosition(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		code string
		at   int
	}{
		"owner = me":                      {"unknown_field", 1},
		"status = open and x = 1":         {"unknown_field", 19},
		"status":                          {"syntax", 7},
		"status = ":                       {"syntax", 10},
		"status = open status":            {"syntax", 15},
		"(status = open":                  {"syntax", 15},
		"status = open)":                  {"syntax", 14},
		"status < open":                   {"wrong_operator", 8},
		"label ~ x":                       {"wrong_operator", 7},
		"status is empty":                 {"wrong_operator", 8},
		"priority = urgent":               {"invalid_value", 12},
		"due < tomorrow":                  {"invalid_value", 7},
		"due < now+7":                     {"invalid_value", 7},
		"due < now+99999w":                {"invalid_value", 7},
		"due < now+":                      {"invalid_value", 7},
		"due < now 7d":                    {"syntax", 11},
		"due > 2026-02-02T13:00:00 01:00": {"syntax", 27},
		"assignee = you":                  {"invalid_value", 12},
		"estimate = 1.5":                  {"invalid_value", 12},
		`title = "é`:                      {"syntax", 9},
		"é; drop table tasks":             {"syntax", 2},
		"status in ()":                    {"syntax", 12},
		"status in (open":                 {"syntax", 16},
	} {
		_, err := filter.Parse(text, fields, filter.Env{Now: now})
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Fields) != 1 {
			t.Errorf("%s: %v, want one field of an invalid input", text, err)
			continue
		}
		if got := f.Fields[0]; got.Code != want.code || got.Position != want.at || got.Parameter != "filter" {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

// A refusal says what would be taken.
func TestRefusalSaysHowToMendIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"owner = me":       "the fields are status, priority, title, due, assignee, label, estimate",
		"status < open":    "this field takes =, !=, ~, in, not in",
		"priority ~ low":   "this field takes =, !=, in, not in",
		"estimate ~ 1":     "this field takes =, !=, <, <=, >, >=, in, not in, is empty, is not empty",
		"label ~ x":        "this field takes =, !=, in, not in, is empty, is not empty",
		"status is empty":  "this field is never empty: it takes =, !=, ~, in, not in",
		"due < now 7d":     "here a + has become a space: in an address it is sent as %2B",
		"due < now+36501d": "this field wants a date, an RFC 3339 time, now, or now+7d (s, m, h, d, w; at most a century, 36500d)",
	} {
		_, err := filter.Parse(text, fields, filter.Env{Now: now})
		if f := fault.As(err); f == nil || f.Fields[0].Message != want {
			t.Errorf("%s: %+v, want %s", text, f, want)
		}
	}
	if _, err := filter.Parse("due < now+36500d", fields, filter.Env{Now: now}); err != nil {
		t.Errorf("a century: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", `status in (open,review) and due < now+7d and not label = "x\""`, "((((", "due < now-", "not not not title ~ \"\x00\"", "assignee is not empty or estimate>=-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := filter.Parse(text, fields, filter.Env{Now: now, Me: me})
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v, want an invalid input", text, err)
			}
			return
		}
		if filter.Match(e, row) == filter.Match(filter.Not{X: e}, row) {
			t.Fatalf("%q and its negation agree", text)
		}
	})
}
