package rest

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// oneRange is what Range asks for where it is one range of bytes (RFC 9110, section
// 14.1.2), whose numbers fit an int64.
var oneRange = regexp.MustCompile(`^bytes=(?:(\d{1,18})-(\d{0,18})|-\d{1,18})$`)

// ServeContent answers with a stored file, or the part of it that is asked for,
// as http.ServeContent does. Its failures are problems, which tell nothing of
// the file, and a Range that is malformed, of several parts, or in another unit
// than bytes is passed over (RFC 9110, section 14.2).
func ServeContent(w http.ResponseWriter, r *http.Request, modified time.Time, content io.ReadSeeker) {
	asked := oneRange.FindStringSubmatch(r.Header.Get("Range"))
	if asked == nil || asked[2] != "" && number(asked[2]) < number(asked[1]) {
		r.Header.Del("Range")
	}
	http.ServeContent(&refusing{ResponseWriter: w, r: r}, r, "", modified, content)
}

func number(digits string) int64 {
	n, _ := strconv.ParseInt(digits, 10, 64) // of oneRange: it fits
	return n
}

// refusing writes a problem in the place of net/http's text.
type refusing struct {
	http.ResponseWriter
	r       *http.Request
	refused bool
}

// WriteHeader implements http.ResponseWriter.
func (w *refusing) WriteHeader(status int) {
	if status == http.StatusNotModified { // its client has them (RFC 9110, section 15.4.5)
		w.Header().Del("Content-Disposition")
		w.Header().Del("Repr-Digest")
	}
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
