package task

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/filter"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/page"
)

// Filter chooses tasks of a list as a client asks; zero fields choose all.
type Filter struct {
	ProjectID uuid.UUID
	Status    string
	Where     string // the filter language, over Fields
	Search    string // words, all of which the title and the description hold
	Sort      string // fields of Orders, comma-separated, "-" before one for descending
	Trash     bool   // what was deleted instead of what was not
}

// Fields are what tasks are filtered by, under a short name and that which a task shows.
var Fields = []filter.Field{
	{Name: "key", Kind: filter.Text}, {Name: "number", Kind: filter.Number}, {Name: "project", Also: "project_id", Kind: filter.ID}, {Name: "parent", Also: "parent_id", Kind: filter.ID, Nullable: true},
	{Name: "title", Kind: filter.Text}, {Name: "status", Kind: filter.Text}, {Name: "priority", Kind: filter.Text, Values: Priorities},
	{Name: "assignee", Also: "assignees", Kind: filter.Person, Many: true}, {Name: "label", Also: "labels", Kind: filter.Text, Many: true},
	{Name: "start", Also: "start_at", Kind: filter.Time, Nullable: true}, {Name: "due", Also: "due_at", Kind: filter.Time, Nullable: true}, {Name: "estimate", Also: "estimate_minutes", Kind: filter.Number, Nullable: true},
	{Name: "created", Also: "created_at", Kind: filter.Time}, {Name: "updated", Also: "updated_at", Kind: filter.Time},
}

// short returns the name by which Orders and Groups have a field that a task shows as name.
func short(name string) string {
	for _, f := range Fields {
		if f.Also != "" && f.Also == name {
			return f.Name
		}
	}
	return name
}

// Values returns what t has of a field of Fields.
func (t Task) Values(field string) []any {
	switch field {
	case "key":
		return []any{t.Key}
	case "number":
		return []any{t.Number}
	case "project":
		return []any{t.ProjectID}
	case "parent":
		return optional(t.ParentID)
	case "title":
		return []any{t.Title}
	case "status":
		return []any{t.Status}
	case "priority":
		return []any{t.Priority}
	case "assignee":
		return many(t.Assignees)
	case "label":
		return many(t.Labels)
	case "start":
		return optional(t.StartAt)
	case "due":
		return optional(t.DueAt)
	case "estimate":
		return optional(t.EstimateMinutes)
	case "created":
		return []any{t.CreatedAt}
	case "updated":
		return []any{t.UpdatedAt}
	}
	return nil
}

func optional[T any](v *T) []any {
	if v == nil {
		return nil
	}
	return []any{*v}
}

func many[T any](vs []T) (all []any) {
	for _, v := range vs {
		all = append(all, v)
	}
	return all
}

// Order is one field by which a list is sorted. What is empty comes last.
type Order struct {
	Field      string
	Descending bool
}

// Orders are the fields that lists are sorted by, by their short names.
var Orders = []string{"created", "updated", "due", "start", "priority", "status", "title", "number", "estimate", "rank"}

// Query is a Filter that was understood.
type Query struct {
	ProjectID uuid.UUID
	Where     filter.Expr
	Words     []string
	Sort      []Order // empty: by creation; the id always decides at last
	Trash     bool
}

// Bounds of a query.
const (
	maxSort   = 4
	maxSearch = 200
)

// Query reads f for who at now. It returns fault.Invalid, naming the parameter.
func (f Filter) Query(who identity.Caller, now time.Time) (Query, error) {
	q := Query{ProjectID: f.ProjectID, Trash: f.Trash, Words: strings.Fields(f.Search)}
	var err error
	if q.Where, err = filter.Parse(f.Where, Fields, filter.Env{Now: now, Me: who.User}); err != nil {
		return q, err
	}
	if f.Status != "" {
		status := filter.Compare{Field: filter.Field{Name: "status"}, Op: filter.Equal, Values: []any{f.Status}}
		if q.Where == nil {
			q.Where = status
		} else {
			q.Where = filter.And{Left: q.Where, Right: status}
		}
	}
	if utf8.RuneCountInString(f.Search) > maxSearch {
		return q, parameter("q", "too_long", fmt.Sprintf("at most %d characters", maxSearch))
	}
	for name, value := range map[string]string{"q": f.Search, "status": f.Status} {
		if strings.ContainsRune(value, 0) || !utf8.ValidString(value) {
			return q, parameter(name, "invalid_character", "a character that no task has")
		}
	}
	q.Sort, err = f.sort()
	return q, err
}

func (f Filter) sort() (all []Order, err error) {
	if f.Sort == "" {
		return nil, nil
	}
	for name := range strings.SplitSeq(f.Sort, ",") {
		name, descending := strings.CutPrefix(name, "-")
		o := Order{short(name), descending}
		if !slices.Contains(Orders, o.Field) {
			return nil, parameter("sort", "unknown_field", "a list of tasks is sorted by "+strings.Join(Orders, ", "))
		}
		if slices.ContainsFunc(all, func(p Order) bool { return p.Field == o.Field }) {
			return nil, parameter("sort", "duplicate", "a field is named twice")
		}
		all = append(all, o)
	}
	if len(all) > maxSort {
		return nil, parameter("sort", "too_many", fmt.Sprintf("at most %d fields", maxSort))
	}
	return all, nil
}

func parameter(name, code, message string) error {
	return &fault.Error{Kind: fault.Invalid, Code: "invalid", Message: "the request breaks a rule",
		Fields: []fault.Field{{Parameter: name, Code: code, Message: message}}}
}

// Place returns t's place in a list that is sorted so.
func (t Task) Place(sort []Order) page.Key {
	k := page.Key{At: t.CreatedAt, ID: t.ID}
	for _, o := range sort {
		k.Sort += t.sortValue(o.Field) + "\x00"
	}
	return k
}

// sortValue is text that a cursor can carry; "" is empty.
func (t Task) sortValue(field string) string {
	switch v := t.Values(field); {
	case field == "rank":
		return t.Rank
	case field == "priority":
		return strconv.Itoa(slices.Index(Priorities, t.Priority))
	case len(v) > 0:
		return show(v[0])
	}
	return ""
}

func show(v any) string {
	if at, ok := v.(time.Time); ok {
		return at.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprint(v)
}

// Groups are what tasks are counted by, by their short names.
var Groups = []string{"status", "priority", "assignee", "label", "project"}

// Count is how many tasks have a value.
type Count struct {
	Value *string `json:"value" doc:"null: those that have none" example:"open"`
	Count int64   `json:"count" example:"12"`
}
