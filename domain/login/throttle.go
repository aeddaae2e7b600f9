package login

import (
	"net/netip"
	"time"
)

const (
	freeFailures = 5 // that cost nothing: people mistype
	longestDelay = 15 * time.Minute
)

// Delay returns how long an account may not be tried from a network again
// after its nth failure in a row: one second after the sixth, doubled each
// time. It concerns one network only, so that nobody can keep the owner out.
func Delay(n int) time.Duration {
	if n <= freeFailures {
		return 0
	}
	return min(time.Second<<min(n-freeFailures-1, 20), longestDelay)
}

// Network returns the prefix that an address belongs to for throttling: an
// IPv4 /24 or an IPv6 /56, such as one customer has. What is no address is
// one network.
func Network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	bits := 56
	if a = a.Unmap(); a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return p.String()
}
