package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"bailiwick.dev/tests/story"
)

const (
	crowd = 64                    // people who log in at once
	pace  = 10 * time.Millisecond // of clients that leave the machine time

	crowds = 5 // one after the other
)

// logins measures what a crowd at the login page takes, and what its hashing
// leaves to those who want a token at the same time: as many as they can get,
// and now and then one.
func (w *world) logins(ctx context.Context) (lines []line, err error) {
	req := w.form("token", url.Values{"grant_type": {"client_credentials"}, "scope": {"tasks"}})
	eager := work{at: req.URL.Host, pid: pid("auth"), status: 200, request: always(req)}
	paced := eager
	paced.pause = pace
	p := w.platform()
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = crowd // a browser keeps its connection
	if err := forgetPeak(eager.pid); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		how string
		work
	}{{"without a pause", eager}, {fmt.Sprintf("every %s", pace), paced}} {
		var logins int64
		var took time.Duration
		got, err := inTurns(ctx, crowds, span, c.over, func(ctx context.Context, n int, span time.Duration) (figures, error) {
			leave, begun := w.crowd(ctx, p), time.Now()
			f, err := c.over(ctx, n, span)
			took += time.Since(begun)
			done, left := leave()
			logins += done
			return f, errors.Join(err, left)
		})
		if err != nil {
			return nil, err
		}
		idle, busy := got[0], got[1]
		lines = append(lines,
			line{fmt.Sprintf("auth: %d log in at once", crowd), fmt.Sprintf("%.0f logins/s, %.0f MiB", float64(logins)/took.Seconds(), memory(eager.pid)), "160 MiB", "the most that the process may hold", ratio(memory(eager.pid), 160)},
			line{"auth: client credentials meanwhile, " + c.how, middle(busy).String(), middle(idle).String(), "the p99 may be twice the idle one's", ratios(busy, idle, func(f figures) float64 { return ms(f.p99) })})
	}
	return lines, nil
}

// crowd has people log in over and over until leave is called, which returns how
// many have.
func (w *world) crowd(ctx context.Context, p *story.Platform) (leave func() (done int64, err error)) {
	ctx, stop := context.WithCancel(ctx)
	var n atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, crowd)
	for range crowd {
		all.Go(func() {
			for {
				if _, _, err := p.LogIn(ctx, w.company.MachineID, w.company.MachineSecret, w.company.Owner); ctx.Err() != nil {
					return
				} else if err != nil {
					failed <- err
					return
				}
				n.Add(1)
			}
		})
	}
	return func() (done int64, err error) {
		stop()
		all.Wait()
		close(failed)
		for e := range failed {
			err = errors.Join(err, e)
		}
		return n.Load(), err
	}
}
