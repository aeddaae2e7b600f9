package xlsx_test

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"bailiwick.dev/adapters/xlsx"
	"bailiwick.dev/domain/report"
)

func names(dir string) (all []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all, err
}

func wide(n int) report.Document {
	d := report.Document{Title: "Bench", At: at, Count: func() (int64, error) { return int64(n), nil }, Replaced: func(int64) {}}
	for i := range 8 {
		d.Columns = append(d.Columns, report.Column{Name: "C" + strconv.Itoa(i), Width: 20})
	}
	d.Rows = func(yield func([]report.Cell, error) bool) {
		row := make([]report.Cell, 8)
		for i := range n {
			for j := range row {
				row[j] = report.Cell{Text: "cell " + strconv.Itoa(i*8+j)}
			}
			row[3] = report.Cell{Time: at.Add(time.Duration(i) * time.Minute)}
			if !yield(row, nil) {
				return
			}
		}
	}
	return d
}

// peak samples the memory that Go has from the system for its heap.
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

// BenchmarkXLSX makes spreadsheets of a million rows of eight columns.
func BenchmarkXLSX(b *testing.B) {
	const rows = 1_000_000
	for b.Loop() {
		stop := make(chan struct{})
		most := peak(stop)
		if err := (xlsx.Renderer{}).Render(b.Context(), io.Discard, wide(rows)); err != nil {
			b.Fatal(err)
		}
		close(stop)
		b.ReportMetric(<-most, "peak-MB")
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
