package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"bailiwick.dev/adapters/blob"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/report"
)

func open(t *testing.T) (*blob.Files, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := blob.Open(t.Context(), "file://"+dir+"?no_tmp_dir=true")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, dir
}

func place() report.Place {
	return report.Place{Tenant: uuid.New(), Run: uuid.New(), Object: uuid.New()}
}

func write(t *testing.T, f *blob.Files, at report.Place, content string) report.Stored {
	t.Helper()
	s, err := f.Write(t.Context(), at, "text/csv", func(w io.Writer) error { _, err := io.WriteString(w, content); return err })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// files are all that lie in the directory, attributes of objects left out.
func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) != ".attrs" {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestFileIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	f, _ := open(t)
	at, content := place(), string(bytes.Repeat([]byte("0123456789"), 20_000))
	sum := sha256.Sum256([]byte(content))
	if s := write(t, f, at, content); s.Size != 200_000 || s.Digest != hex.EncodeToString(sum[:]) {
		t.Errorf("stored %+v", s)
	}
	r, err := f.Open(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Seek(100_005, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(r)
	if err != nil || string(rest) != content[100_005:] {
		t.Errorf("read %d bytes, %v", len(rest), err)
	}
}

func TestOtherUsersOfTheMachineReadNothing(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	at := place()
	write(t, f, at, "x")
	for path, want := range map[string]os.FileMode{"": 0o700, at.Run.String(): 0o700, at.Run.String() + "/" + at.Object.String(): 0o600} {
		info, err := os.Stat(filepath.Join(dir, at.Tenant.String(), path))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%q has the mode %o, want %o", path, got, want)
		}
	}
}

func TestNobodySeesPartOfAFile(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	at, broken := place(), errors.New("broken")
	_, err := f.Write(t.Context(), at, "text/csv", func(w io.Writer) error {
		_, _ = w.Write(make([]byte, 1<<20))
		if _, err := f.Open(t.Context(), at); !fault.Is(err, fault.NotFound) {
			t.Errorf("half a file: %v, want not_found", err)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("Write: %v", err)
	}
	if _, err := f.Open(t.Context(), at); !fault.Is(err, fault.NotFound) {
		t.Errorf("Open: %v, want not_found", err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestCancelledWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := f.Write(ctx, place(), "text/csv", func(w io.Writer) error {
		cancel()
		_, err := w.Write(make([]byte, 1<<20))
		return err
	})
	if err == nil || len(files(t, dir)) != 0 {
		t.Errorf("%v, left over: %v", err, files(t, dir))
	}
}

func TestSweepLeavesOneFile(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	kept, other := place(), place()
	old := kept
	old.Object = uuid.New()
	for _, at := range []report.Place{kept, old, other} {
		write(t, f, at, "x")
	}
	killed := filepath.Join(dir, kept.Tenant.String(), kept.Run.String(), "fileblob123") // as a killed writer leaves it
	if err := os.WriteFile(killed, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Sweep(t.Context(), kept.Tenant, kept.Run, kept.Object); err != nil {
		t.Fatal(err)
	}
	if left := files(t, dir); len(left) != 2 {
		t.Errorf("left over: %v, want the kept one and the other run's", left)
	}
	for range 2 { // again is no error
		if err := f.Sweep(t.Context(), kept.Tenant, kept.Run, uuid.Nil); err != nil {
			t.Fatal(err)
		}
	}
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("left over: %v, want the other run's", left)
	}
}

// What cannot be listed is not taken for empty: the run's row would go, and its
// file stay for ever.
func TestSweepOfAnUnreadableDirectoryFails(t *testing.T) {
	t.Parallel()
	f, dir := open(t)
	at := place()
	if err := os.Mkdir(filepath.Join(dir, at.Tenant.String()), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, at.Tenant.String(), at.Run.String()), nil, 0o600); err != nil { // no directory
		t.Fatal(err)
	}
	if err := f.Sweep(t.Context(), at.Tenant, at.Run, uuid.Nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a run's directory: %v, want unavailable", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.Sweep(t.Context(), at.Tenant, at.Run, uuid.Nil); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the bucket's: %v, want unavailable", err)
	}
}

func TestFullDiskIsTriedAgain(t *testing.T) {
	t.Parallel()
	f, _ := open(t)
	_, err := f.Write(t.Context(), place(), "text/csv", func(io.Writer) error { return fmt.Errorf("write: %w", syscall.ENOSPC) })
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v, want unavailable", err)
	}
}
