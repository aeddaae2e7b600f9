package task_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/filter"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
)

// notFiltered are the fields of a task by which no list is chosen.
var notFiltered = []string{"id", "description", "rank", "version", "created_by", "deleted_at"}

// Whoever reads a task filters and sorts by what it calls its fields.
func TestFieldsAreKnownByTheNamesThatATaskShows(t *testing.T) {
	t.Parallel()
	literals := map[filter.Kind]string{filter.Text: "high", filter.Person: "me", filter.ID: "0199a1b2-c3d4-7e5f-8a6b-000000000001", filter.Time: "2026-01-31", filter.Number: "1"}
	left := slices.Clone(task.Fields)
	for f := range reflect.TypeFor[task.Task]().Fields() {
		name := f.Tag.Get("json")
		i := slices.IndexFunc(left, func(f filter.Field) bool { return name == f.Name || name == f.Also })
		if i < 0 {
			if !slices.Contains(notFiltered, name) {
				t.Errorf("no filter knows %s", name)
			}
			continue
		}
		field := left[i]
		left = slices.Delete(left, i, i+1)
		ask := func(by string) (task.Query, error) {
			sort := "-" + by
			if !slices.Contains(task.Orders, field.Name) {
				sort = ""
			}
			return task.Filter{Where: by + " = " + literals[field.Kind], Sort: sort}.Query(identity.Caller{}, time.Time{})
		}
		want, err := ask(field.Name)
		got, also := ask(name)
		if err != nil || also != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("by %s: %+v, %v, want %+v, %v", name, got, also, want, err)
		}
	}
	if len(left) > 0 {
		t.Errorf("no task shows %+v", left)
	}
	_, err := task.Filter{Sort: "due,-due_at"}.Query(identity.Caller{}, time.Time{})
	if f := fault.As(err); f == nil || f.Fields[0].Code != "duplicate" {
		t.Errorf("by due and due_at: %v, want a duplicate", err)
	}
	_, err = task.Filter{Where: "due_on < now"}.Query(identity.Caller{}, time.Time{})
	if f := fault.As(err); f == nil || !strings.Contains(fmt.Sprint(f.Fields), "due (or due_at)") {
		t.Errorf("by due_on: %+v, want to be told of both names", f)
	}
}
