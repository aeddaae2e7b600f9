package rest

import (
	"net/http/httptest"
	"testing"
)

func TestOnlyATraceIsOne(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"": "", "x": "", "00-00000000000000000000000000000000-0000000000000000-01": "", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}": "",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": "4bf92f3577b34da6a3ce929d0e0e4736",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Traceparent", header)
		if got := traceID(r); got != want {
			t.Errorf("%q: trace %q, want %q", header, got, want)
		}
	}
}
