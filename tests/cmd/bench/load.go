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
	"net/http/httputil"
	"slices"
	"strconv"
	"sync"
	"time"
)

// figures are what a load measured.
type figures struct {
	rate     float64 // per second
	p50, p99 time.Duration
	cpu      time.Duration // of the service, for each request; zero: unknown
	database time.Duration // of PostgreSQL, likewise
}

func (f figures) String() string {
	s := fmt.Sprintf("%.0f/s  p50 %.2f ms  p99 %.2f ms", f.rate, f.p50.Seconds()*1e3, f.p99.Seconds()*1e3)
	if f.cpu > 0 {
		s += fmt.Sprintf("  CPU %.0f + %.0f µs", f.cpu.Seconds()*1e6, f.database.Seconds()*1e6)
	}
	return s
}

// work is what the clients do, one request after the other, each on a
// connection of its own.
type work struct {
	at      string // host and port
	pid     int    // whose processor time is counted; 0: nobody's
	status  int    // that each answer must have
	request func(client, n int) []byte
}

// measure lets the clients work for a quarter of span to warm up, and for span.
func (w work) measure(ctx context.Context) (figures, error) {
	ctx, cancel := context.WithTimeout(ctx, span+span/4)
	defer cancel()
	begin := time.Now().Add(span / 4)
	var cpu, database time.Duration
	time.AfterFunc(span/4, func() { cpu, database = processor(w.pid), postgres() })
	var mu sync.Mutex
	var all sync.WaitGroup
	var took []time.Duration
	var err error
	for c := range clients {
		all.Go(func() {
			mine, e := w.client(ctx, c, begin)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			err = errors.Join(err, e)
		})
	}
	all.Wait()
	if err == nil && len(took) == 0 {
		err = errors.New("nothing was answered")
	}
	if err != nil {
		return figures{}, err
	}
	slices.Sort(took)
	n := time.Duration(len(took))
	f := figures{rate: float64(n) / span.Seconds(), p50: took[n/2], p99: took[n*99/100]}
	if w.pid > 0 {
		f.cpu, f.database = (processor(w.pid)-cpu)/n, (postgres()-database)/n
	}
	return f, nil
}

// client returns how long each answer took that was asked for after begin. It
// writes bytes and reads the answer in place: a whole HTTP client would take
// as much of the two cores as the service that is measured.
func (w work) client(ctx context.Context, c int, begin time.Time) (took []time.Duration, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", w.at)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := bufio.NewReaderSize(conn, 64<<10)
	for n := 0; ctx.Err() == nil; n++ {
		asked := time.Now()
		if _, err := conn.Write(w.request(c, n)); err != nil {
			return took, err
		}
		status, err := answer(answers)
		if err != nil {
			return took, err
		}
		if status != w.status {
			return took, fmt.Errorf("%.200s: %d", w.request(c, n), status)
		}
		if asked.After(begin) {
			took = append(took, time.Since(asked))
		}
	}
	return took, nil
}

// answer reads one answer and returns its status.
func answer(r *bufio.Reader) (status int, err error) {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		name, value, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(":"))
		switch {
		case first:
			status, err = strconv.Atoi(string(line[len("HTTP/1.1 "):][:3]))
		case len(name) == 0:
			return status, discard(r, length)
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			length = chunked
		}
		if err != nil {
			return 0, err
		}
	}
}

const chunked = -1

func discard(r *bufio.Reader, length int) error {
	if length != chunked {
		_, err := r.Discard(length)
		return err
	}
	if _, err := io.Copy(io.Discard, httputil.NewChunkedReader(r)); err != nil {
		return err
	}
	_, err := r.Discard(len("\r\n")) // that the trailers end with
	return err
}

// wire returns the bytes of a request.
func wire(req *http.Request) []byte {
	var b bytes.Buffer
	if err := req.Write(&b); err != nil {
		panic(err) // only for a body that cannot be read
	}
	return b.Bytes()
}

// always makes one request over and over.
func always(req *http.Request) func(int, int) []byte {
	b := wire(req)
	return func(int, int) []byte { return b }
}
