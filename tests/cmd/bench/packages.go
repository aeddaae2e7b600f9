package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// benchmarks are those of the packages that the table shows.
var benchmarks = []struct{ what, dir, name, limit string }{
	{"a decision at the gate", "./adapters/gate", "BenchmarkAllow", "0 allocations"},
	{"a decision of the compiled policy, and Casbin's own", "./adapters/casbin", "BenchmarkDecision", "Casbin's Enforce, in the same run"},
	{"a page of 50 tasks over 8 connections", "./services/tasks", "BenchmarkPage", "the same answer without a database"},
	{"rows of XLSX", "./adapters/xlsx", "BenchmarkXLSX", "memory that does not grow with the rows"},
	{"rows of PDF", "./adapters/pdf", "BenchmarkPDF", "memory that does not grow with the rows"},
}

var result = regexp.MustCompile(`^(Benchmark\S+)\s+\d+\s+(.*)$`)

// packages runs Go benchmarks and shows what they report.
func packages(ctx context.Context) (lines []line, err error) {
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
