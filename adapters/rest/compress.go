package rest

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
)

// compressed ends the entity tag of an answer that was compressed: it is another
// representation, so a strong tag must differ (RFC 9110, section 8.8.3.3).
const compressed = "-gzip"

// compress compresses answers of the API that are longer than a packet, for
// clients that ask for it. A file is sent as it was stored: its digest and its
// ranges are those of its bytes.
var compress = newCompress()

func newCompress() func(http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1400), gzhttp.SuffixETag(compressed), gzhttp.KeepAcceptRanges(), gzhttp.EnableZstd(false), // one encoding, one suffix
		gzhttp.ContentTypes([]string{"application/json", "application/problem+json", "application/x-ndjson", "text/csv"}))
	if err != nil {
		panic(err) // only for options that contradict each other
	}
	return func(next http.Handler) http.Handler { return wrap(next) }
}

// AsStored keeps an answer from being compressed.
func AsStored(h http.Header) { h.Set(gzhttp.HeaderNoCompression, "1") }
