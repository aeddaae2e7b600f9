package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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
	var mu sync.Mutex
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			mine, e := client(ctx, status, request)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			err = errors.Join(err, e)
		})
	}
	all.Wait()
	if err == nil && len(took) == 0 {
		err = fmt.Errorf("nothing was answered")
	}
	return took, err
}

// client sends its request over and over on one connection. It writes the bytes
// that it made once and reads the answer in place: a full HTTP client would take
// as much of the two cores as the service that is measured.
func client(ctx context.Context, status int, request func() (*http.Request, error)) (took []time.Duration, err error) {
	req, err := request()
	if err != nil {
		return nil, err
	}
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", req.URL.Host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := bufio.NewReaderSize(conn, 64<<10)
	for ctx.Err() == nil {
		begun := time.Now()
		if _, err := conn.Write(wire.Bytes()); err != nil {
			return took, err
		}
		resp, err := http.ReadResponse(answers, req)
		if err != nil {
			return took, err
		}
		if resp.StatusCode != status {
			body, _ := io.ReadAll(resp.Body) // of an error that is told anyway
			return took, fmt.Errorf("%s: %s: %.200s", req.URL, resp.Status, body)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return took, err
		}
		took = append(took, time.Since(begun))
	}
	return took, nil
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
