package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// figures are what a load measured.
type figures struct {
	rate     float64       // per second
	p50, p99 time.Duration // zero: unknown
	cpu      time.Duration // of the service, for each request; zero: unknown
	database time.Duration // of PostgreSQL, likewise
}

func (f figures) String() string {
	s := fmt.Sprintf("%.0f/s", f.rate)
	if f.p50 > 0 {
		s += fmt.Sprintf("  p50 %.2f ms  p99 %.2f ms", ms(f.p50), ms(f.p99))
	}
	if f.cpu > 0 {
		s += fmt.Sprintf("  CPU %.0f + %.0f µs", f.cpu.Seconds()*1e6, f.database.Seconds()*1e6)
	}
	return s
}

// work is what the clients do, one request after the other, each on a
// connection of its own.
type work struct {
	at      string        // host and port
	pid     int           // whose processor time is counted; 0: nobody's
	status  int           // that each answer must have
	pause   time.Duration // from one to the next, of each client; 0: none
	first   int           // of the clients' numbers
	request func(client, n int) []byte
}

// measure lets the clients work for a quarter of span to warm up, and for span.
func (w work) measure(ctx context.Context, span time.Duration) (figures, error) {
	ctx, cancel := context.WithTimeout(ctx, span+span/4)
	defer cancel()
	begin := time.Now().Add(span / 4)
	var cpu, database time.Duration
	time.AfterFunc(span/4, func() { cpu, database = processor(w.pid), postgres() })
	took, err := w.drive(ctx, begin)
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
