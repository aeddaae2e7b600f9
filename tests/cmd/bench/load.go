package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// figures are what a load measured.
type figures struct {
	rate     float64 // per second
	p50, p99 time.Duration
	cpu      time.Duration // of the server, for each request; zero: unknown
}

func (f figures) String() string {
	s := fmt.Sprintf("%.0f/s  p50 %.2f ms  p99 %.2f ms", f.rate, f.p50.Seconds()*1e3, f.p99.Seconds()*1e3)
	if f.cpu > 0 {
		s += fmt.Sprintf("  CPU %.2f ms", f.cpu.Seconds()*1e3)
	}
	return s
}

// load lets the clients send what request makes, one after the other, and
// wants the status of each answer.
func load(ctx context.Context, pid, status int, request func() (*http.Request, error)) (figures, error) {
	if _, err := storm(ctx, span/4, status, request); err != nil {
		return figures{}, err
	}
	before := cpu(pid)
	took, err := storm(ctx, span, status, request)
	if err != nil {
		return figures{}, err
	}
	slices.Sort(took)
	f := figures{rate: float64(len(took)) / span.Seconds(), p50: took[len(took)/2], p99: took[len(took)*99/100]}
	if pid > 0 {
		f.cpu = (cpu(pid) - before) / time.Duration(len(took))
	}
	return f, nil
}

func storm(ctx context.Context, d time.Duration, status int, request func() (*http.Request, error)) (took []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	var mu sync.Mutex
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			var mine []time.Duration
			for ctx.Err() == nil {
				begun := time.Now()
				if e := once(ctx, transport, status, request); e != nil && ctx.Err() == nil {
					err = e // one of them is enough
					return
				}
				mine = append(mine, time.Since(begun))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
		})
	}
	all.Wait()
	if err == nil && len(took) == 0 {
		err = fmt.Errorf("nothing was answered")
	}
	return took, err
}

func once(ctx context.Context, t *http.Transport, status int, request func() (*http.Request, error)) error {
	req, err := request()
	if err != nil {
		return err
	}
	resp, err := t.RoundTrip(req.WithContext(context.WithoutCancel(ctx)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != status {
		err = fmt.Errorf("%s: %s: %.200s", req.URL, resp.Status, body)
	}
	return err
}

// cpu returns the processor time that a process has used.
func cpu(pid int) time.Duration {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data)[strings.LastIndexByte(string(data), ')')+1:])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // a clock tick
}
