package fake_test

import (
	"testing"

	"bailiwick.dev/domain/report/conformance"
	"bailiwick.dev/domain/report/fake"
)

func TestStoreConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, func(*testing.T) conformance.Store { return &fake.Store{} })
}
