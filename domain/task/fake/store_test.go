package fake_test

import (
	"testing"

	"bailiwick.dev/domain/task"
	"bailiwick.dev/domain/task/conformance"
	"bailiwick.dev/domain/task/fake"
)

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, func(*testing.T) task.Store { return &fake.Store{} })
}
