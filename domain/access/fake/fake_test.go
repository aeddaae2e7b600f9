package fake_test

import (
	"testing"

	"bailiwick.dev/domain/access/conformance"
	"bailiwick.dev/domain/access/fake"
)

func TestFakeKeepsTheStoresPromises(t *testing.T) {
	t.Parallel()
	conformance.Store(t, &fake.Store{})
}

func TestFakeKeepsTheRegistrysPromises(t *testing.T) {
	t.Parallel()
	conformance.Registry(t, &fake.Store{})
}
