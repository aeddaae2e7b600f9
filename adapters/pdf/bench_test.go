package pdf_test

import (
	"io"
	"runtime"
	"testing"
	"time"

	"bailiwick.dev/adapters/pdf"
)

// peak samples the memory that Go has in use for its heap.
func peak(stop <-chan struct{}) <-chan float64 {
	out := make(chan float64)
	go func() {
		var m runtime.MemStats
		most := 0.0
		for {
			runtime.ReadMemStats(&m)
			most = max(most, float64(m.HeapInuse)/(1<<20))
			select {
			case <-stop:
				out <- most
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return out
}

// BenchmarkPDF makes the longest PDFs that there are.
func BenchmarkPDF(b *testing.B) {
	const rows = 50_000
	for b.Loop() {
		stop := make(chan struct{})
		most := peak(stop)
		if err := (pdf.Renderer{}).Render(b.Context(), io.Discard, document("Bench", numbered(rows))); err != nil {
			b.Fatal(err)
		}
		close(stop)
		b.ReportMetric(<-most, "peak-MB")
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
