package telemetry

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	// delay is how long a line may wait for others to be written with it: a write
	// of its own for each would be one system call in five of a request. Whoever
	// kills the process loses as much.
	delay   = 100 * time.Millisecond
	waiting = 64 << 10 // bytes that may
)

// Logs makes slog write JSON lines to standard error, each with the service.
// They are written together, after 100 ms at most; a warning or an error at
// once, with all before it. The caller flushes what is left.
func Logs(service string) (flush func()) {
	l, flush := logger(os.Stderr, service)
	slog.SetDefault(l)
	return flush
}

func logger(to io.Writer, service string) (l *slog.Logger, flush func()) {
	out := &lines{to: to, buffer: bufio.NewWriterSize(to, waiting)}
	h := slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelInfo})
	return slog.New(prompt{h, out}).With("service", service), out.flush
}

// prompt does not let what is wrong wait.
type prompt struct {
	slog.Handler
	out *lines
}

// Handle implements slog.Handler.
func (p prompt) Handle(ctx context.Context, r slog.Record) error {
	err := p.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		p.out.flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (p prompt) WithAttrs(attrs []slog.Attr) slog.Handler {
	return prompt{p.Handler.WithAttrs(attrs), p.out}
}

// WithGroup implements slog.Handler.
func (p prompt) WithGroup(name string) slog.Handler {
	return prompt{p.Handler.WithGroup(name), p.out}
}

// lines is where they wait.
type lines struct {
	to     io.Writer
	mu     sync.Mutex
	buffer *bufio.Writer
	due    bool
}

// Write implements io.Writer.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.due {
		l.due = true
		time.AfterFunc(delay, l.flush)
	}
	return l.buffer.Write(line)
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due = false
	if err := l.buffer.Flush(); err != nil {
		l.buffer.Reset(l.to) // else it fails for ever, though a full disk has room again
	}
}
