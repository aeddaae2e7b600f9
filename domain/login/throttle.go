package login

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"strings"
	"time"

	"bailiwick.dev/domain/identity"
)

const longestDelay = 15 * time.Minute

// Failure is a failed login of one kind: Free of them cost nothing in a day.
// Those after it have to wait: a second, and twice as long each time.
type Failure struct {
	Key     []byte
	Free    int
	Longest time.Duration
}

// Throttle keeps failures.
type Throttle interface {
	// Attempt returns the credential with an address, the zero one if there is
	// none, and until when one of the keys may not try: zero if all may.
	Attempt(ctx context.Context, tenant identity.TenantID, email string, keys ...[]byte) (Credential, time.Time, error)
	// Failed counts a failure of each key and blocks it for as long as its delay says.
	Failed(ctx context.Context, tenant identity.TenantID, e Event, failed ...Failure) error
}

// Failures are what a login to an account from an address that fails counts
// for: for the account in one network; for a network over all accounts, later and
// for a shorter while, so that trying one password on many accounts does not pay
// and an office behind one address goes on working; and for the account over all
// networks, later still, so that guessing from many does not pay. Who logged in
// before is judged otherwise: see DeviceFailure.
func Failures(tenant identity.TenantID, email, address string) []Failure {
	network := Network(address)
	return []Failure{
		{Key: throttleKey(tenant, network, email), Free: 5, Longest: longestDelay}, // people mistype
		{Key: throttleKey(tenant, network), Free: 50, Longest: time.Minute},
		{Key: throttleKey(tenant, "account", email), Free: 20, Longest: time.Minute},
	}
}

// ResetRequests is what asking for a reset from an address counts for, whoever
// it is asked for: an office has a few in a day, and who tries addresses many.
func ResetRequests(tenant identity.TenantID, address string) Failure {
	return Failure{Key: throttleKey(tenant, Network(address), "", "reset"), Free: 50, Longest: time.Minute}
}

func throttleKey(tenant identity.TenantID, parts ...string) []byte {
	d := sha256.Sum256([]byte(tenant.String() + "\x00" + strings.Join(parts, "\x00")))
	return d[:]
}

// Delay returns how long nobody may try again after the nth failure.
func (f Failure) Delay(n int) time.Duration {
	if n <= f.Free {
		return 0
	}
	return min(time.Second<<min(n-f.Free-1, 20), f.Longest)
}

// Network returns the prefix that an address belongs to for throttling: an
// IPv4 /24 or an IPv6 /48, which one customer has at most. What is no address is
// one network.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	bits := 48
	if a = a.Unmap(); a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return p.String()
}
