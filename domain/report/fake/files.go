package fake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"iter"
	"sync"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/task"
)

// Files implements report.Files. The zero Files is empty and ready.
type Files struct {
	mu  sync.Mutex
	all map[report.Place][]byte
}

var _ report.Files = (*Files)(nil)

// Write implements report.Files.
func (f *Files) Write(_ context.Context, at report.Place, _ string, content func(io.Writer) error) (report.Stored, error) {
	var b bytes.Buffer
	if err := content(&b); err != nil {
		return report.Stored{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[report.Place][]byte{}
	}
	f.all[at] = b.Bytes()
	sum := sha256.Sum256(b.Bytes())
	return report.Stored{Size: int64(b.Len()), Digest: hex.EncodeToString(sum[:])}, nil
}

type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

// Open implements report.Files.
func (f *Files) Open(_ context.Context, at report.Place) (io.ReadSeekCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, ok := f.all[at]
	if !ok {
		return nil, errNotFound
	}
	return file{bytes.NewReader(b)}, nil
}

// Sweep implements report.Files.
func (f *Files) Sweep(_ context.Context, tenant identity.TenantID, run, keep uuid.UUID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for at := range f.all {
		if at.Tenant == tenant && at.Run == run && at.Object != keep {
			delete(f.all, at)
		}
	}
	return nil
}

// Count returns how many files there are.
func (f *Files) Count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.all)
}

// Source implements report.Source with the pages it holds, and then fails
// with Err if that is set. Wait, if set, is called before each page. It has
// every project but the one that it Lacks.
type Source struct {
	Pages [][]task.Task
	Lacks uuid.UUID
	Err   error
	Wait  func(ctx context.Context) error
}

// Tasks implements report.Source.
func (s *Source) Tasks(ctx context.Context, _ identity.TenantID, _ task.Filter) iter.Seq2[[]task.Task, error] {
	return func(yield func([]task.Task, error) bool) {
		for _, p := range s.Pages {
			if s.Wait != nil {
				if err := s.Wait(ctx); err != nil {
					yield(nil, err)
					return
				}
			}
			if !yield(p, nil) {
				return
			}
		}
		if s.Err != nil {
			yield(nil, s.Err)
		}
	}
}

// Count implements report.Source.
func (s *Source) Count(context.Context, identity.TenantID, task.Filter) (n int64, err error) {
	for _, p := range s.Pages {
		n += int64(len(p))
	}
	return n, s.Err
}

// HasProject implements report.Source.
func (s *Source) HasProject(_ context.Context, _ identity.TenantID, project uuid.UUID) error {
	if project == s.Lacks {
		return fault.New(fault.NotFound, "not_found", "there is no such thing here")
	}
	return s.Err
}

// Generation implements report.Generation by remembering what was begun, and
// fails with Err if that is set.
type Generation struct {
	mu    sync.Mutex
	begun []report.Due
	Err   error
}

var _ report.Generation = (*Generation)(nil)

// Begin implements report.Generation.
func (g *Generation) Begin(_ context.Context, d report.Due) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begun = append(g.begun, d)
	return g.Err
}

// Cancel implements report.Generation.
func (g *Generation) Cancel(context.Context, identity.TenantID, uuid.UUID) error { return g.Err }

// Begun returns what was begun, the first first.
func (g *Generation) Begun() []report.Due {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]report.Due(nil), g.begun...)
}

// Text implements report.Renderer with a line for each row.
type Text struct{}

// Render implements report.Renderer.
func (Text) Render(_ context.Context, w io.Writer, d report.Document) error {
	for row, err := range d.Rows {
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, row[0].Text+"\n"); err != nil {
			return err
		}
	}
	return nil
}
