package pgtest

import (
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Distance is how far away a Distant database is, there and back.
const Distance = 20 * time.Millisecond

// Distant is a database as far away as a proxy makes it, which counts how often
// it is asked and answers.
type Distant struct {
	mu       sync.Mutex
	answered bool // since the last question
	trips    int
}

// URL returns where the database at the URL to is reached through d, by a pool
// of one connection: what was prepared once stays prepared.
func (d *Distant) URL(t testing.TB, to string) string {
	t.Helper()
	return through(t, to, func(near, far net.Conn) {
		go carry(far, near, d.asked)
		go carry(near, far, d.replied)
	})
}

// Count returns the round trips since it was last asked.
func (d *Distant) Count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.trips
	d.trips, d.answered = 0, true
	return n
}

func (d *Distant) asked() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.answered {
		d.trips++
	}
	d.answered = false
}

func (d *Distant) replied() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answered = true
}

// through listens in front of the database at the URL to and lets join bind each
// connection from near to one that is far.
func through(t testing.TB, to string, join func(near, far net.Conn)) string {
	t.Helper()
	at, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	server := at.Host
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server)
			if err != nil {
				_ = near.Close()
				return
			}
			join(near, far)
		}
	}()
	at.Host = l.Addr().String()
	q := at.Query()
	q.Set("pool_max_conns", "1")
	at.RawQuery = q.Encode()
	return at.String()
}

func carry(to, from net.Conn, note func()) {
	defer to.Close()
	for buf := make([]byte, 64<<10); ; {
		n, err := from.Read(buf)
		if n > 0 {
			note()
			time.Sleep(Distance / 2)
			_, err = to.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}
