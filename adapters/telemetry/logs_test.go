package telemetry

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// disk is one that can be full.
type disk struct {
	mu   sync.Mutex
	has  bytes.Buffer
	full bool
}

func (d *disk) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return 0, errors.New("no space left")
	}
	return d.has.Write(b)
}

func (d *disk) wants(t *testing.T, when string, messages ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	var got []string
	for line := range strings.Lines(d.has.String()) {
		_, after, _ := strings.Cut(line, `"msg":"`)
		msg, _, _ := strings.Cut(after, `"`)
		got = append(got, msg)
		if !strings.Contains(line, `"service":"tasks"`) {
			t.Errorf("%s: %s", when, line)
		}
	}
	if strings.Join(got, ",") != strings.Join(messages, ",") {
		t.Errorf("%s: %q, want %q", when, got, messages)
	}
}

func TestLinesWaitAndWarningsDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d disk
		l, flush := logger(&d, "tasks")
		l.Info("one")
		time.Sleep(delay - time.Millisecond)
		d.wants(t, "before the delay")
		time.Sleep(2 * time.Millisecond)
		d.wants(t, "after it", "one")
		l.Info("two")
		l.With("a", "b").WithGroup("g").Warn("three")
		d.wants(t, "a warning", "one", "two", "three")
		l.Info("four")
		flush()
		d.wants(t, "the end", "one", "two", "three", "four")
		time.Sleep(2 * delay)
	})
}

func TestLinesGoOnAfterADiskWasFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := disk{full: true}
		l, _ := logger(&d, "tasks")
		l.Error("lost")
		d.full = false
		l.Error("kept")
		d.wants(t, "when there is room again", "kept")
		time.Sleep(2 * delay)
	})
}
