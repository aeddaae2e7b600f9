package process

import "runtime"

// ballast is never written, so it takes addresses and no memory. The collector
// runs when the heap has doubled: on the few megabytes that a service holds it
// would run dozens of times a second under load. A setting of GOGC would let a
// large heap grow by as much again; this adds the same to any.
const ballast = 24 << 20

// heldBallast allocates the ballast and keeps it until release is called.
func heldBallast() (release func()) {
	b := make([]byte, ballast)
	return func() { runtime.KeepAlive(b) }
}
