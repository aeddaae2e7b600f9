package fake_test

import (
	"testing"

	"bailiwick.dev/domain/login/conformance"
	"bailiwick.dev/domain/login/fake"
)

func TestFakeConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, &fake.Store{})
}
