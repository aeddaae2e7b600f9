package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// benchmark is one of a package, and what it is measured against.
type benchmark struct{ what, dir, name, limit string }

// benchmarks are those of the packages that the table shows.
var benchmarks = []benchmark{
	{"a page of 50 tasks over 8 connections", "./services/tasks", "BenchmarkPage", "the same answer without a database"},
	{"rows of XLSX", "./adapters/xlsx", "BenchmarkXLSX", "memory that does not grow with the rows"},
	{"rows of PDF", "./adapters/pdf", "BenchmarkPDF", "memory that does not grow with the rows"},
}

var result = regexp.MustCompile(`^(Benchmark\S+)\s+\d+\s+(.*)$`)

func packages(ctx context.Context) ([]line, error) { return goBench(ctx, benchmarks) }

// goBench runs Go benchmarks and shows what they report.
func goBench(ctx context.Context, benchmarks []benchmark) (lines []line, err error) {
	for _, b := range benchmarks {
		out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", b.name, "-benchmem", "-benchtime", "1s", b.dir).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", b.name, err, out)
		}
		for l := range strings.Lines(string(out)) {
			if m := result.FindStringSubmatch(strings.TrimSpace(l)); m != nil {
				_, which, _ := strings.Cut(m[1], "/")
				lines = append(lines, line{what: strings.TrimSpace(b.what + " " + which), ours: strings.Join(strings.Fields(m[2]), " "), limitIs: b.limit})
			}
		}
	}
	return lines, nil
}
