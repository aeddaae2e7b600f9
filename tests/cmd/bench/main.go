// Command bench measures the platform that is up on this machine, each figure
// beside its limit, all in one run: pgbench with the same statements, and a
// bare handler that does only what cannot be avoided.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

const (
	clients = 8
	span    = 4 * time.Second // of a measurement by itself, after a quarter of that to warm up
)

func main() {
	runtime.GOMAXPROCS(clients) // so that who measures need not wait for who logs in
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	do := run
	if len(os.Args) == 3 && os.Args[1] == limitsCommand {
		do = func(ctx context.Context) error { return serveLimits(ctx, os.Args[2]) }
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// line is one row of the table.
type line struct {
	what, ours, limit, limitIs, ratio string
}

func run(ctx context.Context) error {
	fmt.Printf("%d cores, %d clients\n\n", runtime.NumCPU(), clients)
	w, err := prepare(ctx)
	if err != nil {
		return err
	}
	var lines []line
	for _, m := range []struct {
		name    string
		measure func(context.Context) ([]line, error)
	}{{"tasks", w.tasks}, {"scale", w.scale}, {"auth", w.auth}, {"logins", w.logins}, {"decisions", w.decisions}, {"packages", packages}} {
		if chosen := os.Args[1:]; !slices.Contains(chosen, m.name) && (len(chosen) > 0 || m.name == "scale") { // which takes half an hour
			continue
		}
		more, err := m.measure(ctx)
		if err != nil {
			return err
		}
		lines = append(lines, more...)
	}
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "WHAT\tOURS\tLIMIT\tRATIO\tTHE LIMIT IS")
	for _, l := range lines {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.what, l.ours, l.limit, l.ratio, l.limitIs)
	}
	return t.Flush()
}
