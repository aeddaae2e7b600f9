package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// scale measures whether reads stay as fast while the tables grow.
func (w *world) scale(ctx context.Context) (lines []line, err error) {
	var small []figures
	for _, n := range []int{10_000, million, 10 * million} {
		fmt.Printf("making %d tasks of %d tenants\n", n, tenants)
		got, err := w.readsOf(ctx, n)
		if err != nil {
			return nil, err
		}
		if small == nil {
			small = got
		}
		for i, o := range w.reads(n) {
			lines = append(lines, line{fmt.Sprintf("tasks: %s, of %d tasks", o.name, n), got[i].String(), small[i].String(), "the same of 10000 tasks", ratio(got[i].rate, small[i].rate)})
		}
	}
	return lines, nil
}

func (w *world) readsOf(ctx context.Context, n int) (all []figures, err error) {
	const database = "bench_tasks_scale"
	if err := w.fill(ctx, database, n, wordless); err != nil {
		return nil, err
	}
	i, err := startTasks(ctx, database)
	if err != nil {
		return nil, err
	}
	defer i.stop()
	for _, o := range w.reads(n) {
		f, err := work{at: i.at, pid: i.pid, status: o.status, request: o.request}.measure(ctx, span)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// export measures how fast the company's tasks are streamed, and what memory a
// process takes that does nothing else.
func (w *world) export(ctx context.Context) (lines []line, err error) {
	for _, format := range []string{"ndjson", "csv"} {
		i, err := startTasks(ctx, walled)
		if err != nil {
			return nil, err
		}
		defer i.stop()
		req := w.request(http.MethodGet, "", nil)
		req.URL.Path, req.URL.RawQuery = "/tasks/v1/task-export", "format="+format
		rows, took, err := i.stream(ctx, wire(req))
		if err != nil {
			return nil, err
		}
		each := processor(i.pid) / time.Duration(rows)
		lines = append(lines, line{"tasks: export as " + format, fmt.Sprintf("%.0f rows/s, CPU %.2f µs a row, %.0f MiB", float64(rows)/took.Seconds(), each.Seconds()*1e6, memory(i.pid)),
			"", "200000 rows/s of a core (5 µs) in 64 MiB", fmt.Sprintf("%.2f", 5/(each.Seconds()*1e6))})
	}
	return lines, nil
}

// stream sends a request and counts the lines of the answer.
func (i *instance) stream(ctx context.Context, request []byte) (rows int, took time.Duration, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", i.at)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	begun := time.Now()
	if _, err := conn.Write(request); err != nil {
		return 0, 0, err
	}
	resp, err := http.ReadResponse(bufio.NewReaderSize(conn, 1<<20), nil)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("%.100s: %s", request, resp.Status)
	}
	lines := &counter{}
	_, err = bufio.NewReaderSize(resp.Body, 1<<20).WriteTo(lines)
	return lines.n, time.Since(begun), err
}

type counter struct{ n int }

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	c.n += bytes.Count(p, []byte("\n"))
	return len(p), nil
}
