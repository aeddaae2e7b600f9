package main

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkCheck shows what one question costs, and a hundred at once.
func BenchmarkCheck(b *testing.B) {
	p := newPlatform(b)
	var items []string
	for i := range 100 {
		items = append(items, fmt.Sprintf(`{"id":"%d","permission":"tasks:write"}`, i))
	}
	for _, c := range []struct{ path, body string }{
		{"/v1/check", `{"permission":"tasks:write"}`}, {"/v1/check:batch", `{"items":[` + strings.Join(items, ",") + `]}`},
	} {
		b.Run(c.path[1:], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), "POST", "/authz"+c.path, strings.NewReader(c.body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "Bearer "+p.member)
				w := httptest.NewRecorder()
				if p.handler.ServeHTTP(w, r); w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}
