package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

const crowd = 64 // people who log in at once

// logins measures what a crowd at the login page takes, and what its hashing
// leaves to those who want a token at the same time.
func (w *world) logins(ctx context.Context) ([]line, error) {
	req := w.form("token", url.Values{"grant_type": {"client_credentials"}, "scope": {"tasks"}})
	tokens := work{at: req.URL.Host, pid: pid("auth"), status: 200, request: always(req)}
	idle, err := tokens.measure(ctx)
	if err != nil {
		return nil, err
	}
	if err := forgetPeak(tokens.pid); err != nil {
		return nil, err
	}
	crowded, leave := context.WithCancel(ctx)
	p, begun := w.platform(), time.Now()
	var done atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, crowd)
	for range crowd {
		all.Go(func() {
			for {
				if _, _, err := p.LogIn(crowded, w.company.MachineID, w.company.MachineSecret, w.company.Owner); crowded.Err() != nil {
					return
				} else if err != nil {
					failed <- err
					return
				}
				done.Add(1)
			}
		})
	}
	busy, err := tokens.measure(ctx)
	took := time.Since(begun)
	leave()
	all.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return []line{
		{fmt.Sprintf("auth: %d log in at once", crowd), fmt.Sprintf("%.0f logins/s, %.0f MiB", float64(done.Load())/took.Seconds(), memory(tokens.pid)), "160 MiB", "the most that the process may hold", ratio(memory(tokens.pid), 160)},
		{"auth: client credentials meanwhile", busy.String(), idle.String(), "the p99 may be twice the idle one's", ratio(ms(busy.p99), ms(idle.p99))},
	}, err
}
