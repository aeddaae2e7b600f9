// Package blob keeps files in a bucket: a directory, or S3.
//
// A file's key is tenant/run/object. Each attempt to make a file writes an
// object of its own, so that one that was given up can never change what
// another has made.
package blob

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/uuid"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file:///directory
	_ "gocloud.dev/blob/s3blob"   // s3://bucket
	"gocloud.dev/gcerrors"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
)

// Files implements report.Files in a bucket.
type Files struct {
	bucket *blob.Bucket
	dir    string // of a bucket that is a directory
}

var _ report.Files = (*Files)(nil)

// Open opens the bucket at url: file:///a/directory?no_tmp_dir=true, or
// s3://bucket?region=…. Without no_tmp_dir a file is written to the system's
// temporary directory and cannot be moved if that is another device. With a
// directory, what this process makes from then on is for its own user alone.
func Open(ctx context.Context, url string) (*Files, error) {
	b, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("bucket: %w", err)
	}
	f := &Files{bucket: b}
	if rest, ok := strings.CutPrefix(url, "file://"); ok {
		f.dir, _, _ = strings.Cut(rest, "?")
		syscall.Umask(0o077) // the bucket has no mode for its files
	}
	return f, nil
}

// Close gives the bucket back.
func (f *Files) Close() error { return f.bucket.Close() }

func prefix(tenant identity.TenantID, run uuid.UUID) string {
	return tenant.String() + "/" + run.String() + "/"
}

func key(at report.Place) string { return prefix(at.Tenant, at.Run) + at.Object.String() }

// Write implements report.Files. The bucket shows an object when its writer is
// closed, and never when the writer's context has ended before.
func (f *Files) Write(ctx context.Context, at report.Place, mediaType string, content func(w io.Writer) error) (report.Stored, error) {
	ctx, discard := context.WithCancel(ctx)
	defer discard()
	w, err := f.bucket.NewWriter(ctx, key(at), &blob.WriterOptions{ContentType: mediaType})
	if err != nil {
		return report.Stored{}, translate(err)
	}
	d := &digester{ctx: ctx, w: w, hash: sha256.New()}
	buffered := bufio.NewWriterSize(d, 64<<10)
	if err = content(buffered); err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		discard()
		_ = w.Close() // it fails, and removes what there is
		return report.Stored{}, full(err)
	}
	if err := w.Close(); err != nil {
		return report.Stored{}, translate(err)
	}
	return report.Stored{Size: d.size, Digest: hex.EncodeToString(d.hash.Sum(nil))}, nil
}

// digester digests while it writes, so that the file need not be read again,
// and writes no more when ctx has ended, which a directory does not mind.
type digester struct {
	ctx  context.Context
	w    io.Writer
	hash hash.Hash
	size int64
}

// Write implements io.Writer.
func (d *digester) Write(p []byte) (int, error) {
	if err := context.Cause(d.ctx); err != nil {
		return 0, err
	}
	n, err := d.w.Write(p)
	d.hash.Write(p[:n])
	d.size += int64(n)
	return n, err
}

// Open implements report.Files.
func (f *Files) Open(ctx context.Context, at report.Place) (io.ReadSeekCloser, error) {
	r, err := f.bucket.NewReader(ctx, key(at), nil)
	if err != nil {
		return nil, translate(err)
	}
	return r, nil
}

// Sweep implements report.Files. What a killed process was writing lies beside
// its objects in a directory; S3 shows no such thing.
func (f *Files) Sweep(ctx context.Context, tenant identity.TenantID, run, keep uuid.UUID) error {
	if err := f.readable(tenant, run); err != nil {
		return err
	}
	list := f.bucket.List(&blob.ListOptions{Prefix: prefix(tenant, run)})
	for {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return translate(err)
		}
		if strings.HasSuffix(o.Key, "/"+keep.String()) {
			continue
		}
		if err := f.bucket.Delete(ctx, o.Key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return translate(err)
		}
	}
	if f.dir != "" { // an empty directory is removed, any other stays
		_ = os.Remove(filepath.Join(f.dir, tenant.String(), run.String()))
	}
	return nil
}

// readable returns an error where a directory cannot be read, which the bucket
// would show as an empty one.
func (f *Files) readable(tenant identity.TenantID, run uuid.UUID) error {
	if f.dir == "" {
		return nil
	}
	_, err := os.Stat(f.dir)
	if err == nil {
		_, err = os.ReadDir(filepath.Join(f.dir, tenant.String(), run.String()))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	if err != nil {
		err = fault.Wrap(fault.Unavailable, "storage_unavailable", "the file store does not answer", err)
	}
	return err
}

// Ready reports whether files can be kept.
func (f *Files) Ready(ctx context.Context) error {
	ok, err := f.bucket.IsAccessible(ctx)
	if err == nil && !ok {
		err = fault.New(fault.Unavailable, "storage_unavailable", "the file store does not answer")
	}
	return translate(err)
}

func translate(err error) error {
	var known *fault.Error
	switch {
	case err == nil, errors.As(err, &known), errors.Is(err, context.Canceled):
		return err
	case isFull(err):
		return full(err)
	case gcerrors.Code(err) == gcerrors.NotFound:
		return fault.Wrap(fault.NotFound, "not_found", "there is no such thing", err)
	case gcerrors.Code(err) == gcerrors.Unknown:
		return fault.Wrap(fault.Unavailable, "storage_unavailable", "the file store does not answer", err)
	}
	return err
}

// full tells of an error that there is no room, if that is what it says.
func full(err error) error {
	if isFull(err) {
		return fault.Wrap(fault.Unavailable, "storage_full", "there is no room for the file; it is tried again", err)
	}
	return err
}

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
