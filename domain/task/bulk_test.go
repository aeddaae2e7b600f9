package task_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/task"
	"bailiwick.dev/domain/task/fake"
)

// busy lets somebody else create a task whenever a bulk lets go of the project.
type busy struct {
	*fake.Store
	between func()
}

func (b *busy) Bulk(ctx context.Context, who identity.Caller, writes []task.Write, all bool) ([]task.Outcome, error) {
	defer b.between()
	return b.Store.Bulk(ctx, who, writes, all)
}

// A create waits for a few inserts of a bulk that is under way, not for all.
func TestCreateComesBetweenTheItemsOfABulk(t *testing.T) {
	t.Parallel()
	store := &busy{Store: &fake.Store{}}
	s, who := task.NewService(store, accessfake.Gate{}), identity.Caller{Tenant: uuid.New(), Client: "c"}
	p, err := s.CreateProject(t.Context(), who, task.ProjectDraft{Name: "P"})
	if err != nil {
		t.Fatal(err)
	}
	var last int64
	store.between = func() {
		got, err := s.Create(t.Context(), who, task.Draft{ProjectID: p.ID, Title: "in between"})
		if err != nil || got.Number-last > 6 {
			t.Errorf("%d comes after %d, %v", got.Number, last, err)
		}
		last = got.Number
	}
	items := make([]task.Item, 100)
	for i := range items {
		items[i].Create = &task.Draft{ProjectID: p.ID, Title: "one of many"}
	}
	if _, done, err := s.Bulk(t.Context(), who, items, false); err != nil || !done {
		t.Fatal(done, err)
	}
	if last != 120 {
		t.Errorf("the last in between is %d, want 120", last)
	}
}
