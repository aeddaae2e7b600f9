package login

import (
	"context"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/identity"
)

// How long a browser is known after a login in it, and how many of a person's are.
const (
	DeviceLife  = 90 * 24 * time.Hour
	MostDevices = 10
)

// Devices remembers browsers in which people have logged in, by the hash of a
// secret that each holds. They are forgotten with all that the person's logins gave.
type Devices interface {
	// Remember keeps a device for the person of a session, in place of the one
	// that was, if any, and forgets the oldest of too many. It does nothing when
	// the session has ended.
	Remember(ctx context.Context, tenant identity.TenantID, session uuid.UUID, device, was []byte) error
	// Device returns in which of these devices the person with an address has
	// logged in before, or nil.
	Device(ctx context.Context, tenant identity.TenantID, email string, of [][]byte) ([]byte, error)
}

// DeviceFailure is what a failed login in a device counts for that its person
// has logged in with before, and nothing else: a stranger, who does not hold
// the device's secret, cannot slow it, whatever they do and wherever they are.
func DeviceFailure(tenant identity.TenantID, device []byte) Failure {
	return Failure{Key: throttleKey(tenant, "device", string(device)), Free: 5, Longest: longestDelay}
}
