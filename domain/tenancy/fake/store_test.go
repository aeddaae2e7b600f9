package fake_test

import (
	"testing"

	"bailiwick.dev/domain/tenancy"
	"bailiwick.dev/domain/tenancy/conformance"
	"bailiwick.dev/domain/tenancy/fake"
)

func TestFakeConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, func(*testing.T) (tenancy.Store, tenancy.Queue) {
		s := &fake.Store{}
		return s, s
	})
}
