package pgtest

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
)

// Broken is a way to a database that breaks off between any two messages of
// PostgreSQL's protocol, and so between any two statements.
type Broken struct {
	mu   sync.Mutex
	left int // messages until it breaks; negative: it does not
}

// URL returns where the database at the URL to is reached through b, by a pool
// of one connection. At first it does not break.
func (b *Broken) URL(t testing.TB, to string) string {
	t.Helper()
	b.After(-1)
	return through(t, to, func(near, far net.Conn) {
		go func() {
			defer near.Close()
			_, _ = io.Copy(near, far) // until either end is closed
		}()
		go func() {
			defer near.Close()
			defer far.Close()
			b.forward(far, near)
		}()
	})
}

// After lets n more messages pass and then breaks off, once; a negative n: never.
func (b *Broken) After(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = n
}

// Broke reports whether it has broken off since the last After.
func (b *Broken) Broke() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left < 0
}

func (b *Broken) breaks() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < 0 {
		return false
	}
	b.left--
	return b.left < 0
}

// forward passes one message at a time: the first has no type, the others do.
func (b *Broken) forward(far, near net.Conn) {
	for head := 4; ; head = 5 {
		raw := make([]byte, head)
		if _, err := io.ReadFull(near, raw); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(raw[head-4:])-4)
		if _, err := io.ReadFull(near, body); err != nil {
			return
		}
		if head == 5 && b.breaks() {
			return
		}
		if _, err := far.Write(append(raw, body...)); err != nil {
			return
		}
	}
}
