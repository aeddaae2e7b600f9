package rest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// ServeContent answers with a stored file, or the part of it that is asked for,
// as http.ServeContent does. Its failures are problems, which tell nothing of
// the file, and a Range in another unit than bytes is passed over (RFC 9110,
// section 14.2).
func ServeContent(w http.ResponseWriter, r *http.Request, modified time.Time, content io.ReadSeeker) {
	if !strings.HasPrefix(r.Header.Get("Range"), "bytes=") {
		r.Header.Del("Range")
	}
	http.ServeContent(&refusing{ResponseWriter: w, r: r}, r, "", modified, content)
}

// refusing writes a problem in the place of net/http's text.
type refusing struct {
	http.ResponseWriter
	r       *http.Request
	refused bool
}

// WriteHeader implements http.ResponseWriter.
func (w *refusing) WriteHeader(status int) {
	if status < http.StatusBadRequest {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.refused = true
	for _, ofTheFile := range []string{"Content-Disposition", "ETag", "Last-Modified", "Repr-Digest"} {
		w.Header().Del(ofTheFile)
	}
	err := fmt.Errorf("net/http serves a file with status %d", status)
	switch status {
	case http.StatusPreconditionFailed:
		err = newProblem(status, "precondition_failed", "the file is not the one that the request is for")
	case http.StatusRequestedRangeNotSatisfiable:
		err = newProblem(status, "range_not_satisfiable", "Range names no part of the file")
	}
	WriteProblem(w.ResponseWriter, w.r, err)
}

// Write implements io.Writer.
func (w *refusing) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
