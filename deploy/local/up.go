package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
)

// up builds, starts what does not run or was changed, and waits until all of
// it works.
func up(ctx context.Context, p *platform) error {
	begun := time.Now()
	if err := p.elsewhere(); err != nil {
		return err
	}
	if err := p.loadSecrets(); err != nil {
		return err
	}
	if err := p.portsAreFree(); err != nil { // before minutes are spent
		return err
	}
	if err := p.keepOffset(); err != nil {
		return err
	}
	if err := packages(ctx, needs); err != nil {
		return err
	}
	var cli string
	work, fine := errgroup.WithContext(ctx)
	temporal := make(chan struct{})
	work.Go(func() (err error) {
		cli, err = p.temporalCLI(fine)
		close(temporal)
		return err
	})
	work.Go(func() error {
		if err := p.buildAndMigrate(fine); err != nil {
			return err
		}
		<-temporal
		return nil
	})
	if err := work.Wait(); err != nil {
		return err
	}
	if err := p.startAll(ctx, cli); err != nil {
		return err
	}
	fmt.Printf("everything is up after %.1f s\n\n", time.Since(begun).Seconds())
	return status(ctx, p)
}

// portsAreFree returns an error for a port of something that does not run yet
// and that somebody else holds.
func (p *platform) portsAreFree() error {
	wanted := append(p.all(""), process{name: "gateway", ports: []string{"GATEWAY", "GATEWAY_TLS"}})
	if p.postmaster() == 0 {
		wanted = append(wanted, process{name: "postgres", ports: []string{"POSTGRES"}})
	}
	for _, pr := range wanted {
		if _, alive := p.record(pr.name); alive {
			continue
		}
		for _, port := range pr.ports {
			if err := p.free(port); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *platform) buildAndMigrate(ctx context.Context) error {
	both, building := errgroup.WithContext(ctx) // ends with its Wait
	both.Go(func() error { return p.postgresUp(building) })
	both.Go(func() error {
		targets := []string{"go", "build", "-o", p.bin() + "/", "./deploy/local/mailcatcher"}
		for _, s := range services {
			targets = append(targets, "./services/"+s)
		}
		return run(building, p.root, environment(), targets...)
	})
	if err := both.Wait(); err != nil {
		return err
	}
	all, ctx := errgroup.WithContext(ctx)
	for _, s := range services {
		all.Go(func() error { return run(ctx, "", environment(p.migration(s)...), p.bin(s), "migrate") })
	}
	return all.Wait()
}

func (p *platform) startAll(ctx context.Context, cli string) error {
	gateway, err := p.gateway(ctx)
	if err != nil {
		return err
	}
	processes := append(p.all(cli), gateway)
	for _, pr := range processes {
		if err := p.start(pr); err != nil {
			return fmt.Errorf("%s: %w", pr.name, err)
		}
	}
	all, ctx := errgroup.WithContext(ctx)
	for _, pr := range processes {
		all.Go(func() error { return p.healthy(ctx, pr) })
	}
	return all.Wait()
}

// down stops everything, the gateway first: nobody is let in while it ends.
func down(_ context.Context, p *platform) error {
	names := p.running()
	slices.SortFunc(names, func(a, b string) int { return order(a) - order(b) })
	var all errgroup.Group
	for _, name := range names {
		if order(name) == 0 {
			if err := p.stop(name); err != nil {
				return err
			}
			continue
		}
		all.Go(func() error { return p.stop(name) })
	}
	err := all.Wait()
	p.postgresDown()
	return err
}

func order(name string) int {
	if name == "gateway" {
		return 0
	}
	return 1
}

// status shows what runs where.
func status(_ context.Context, p *platform) error {
	if err := p.elsewhere(); err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WHAT\tWHERE\tPID")
	row := func(name, where string) {
		pid := "-"
		if r, alive := p.record(name); alive {
			pid = fmt.Sprint(r.PID)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, where, pid)
	}
	row("gateway", fmt.Sprintf("%s  https://localhost:%d", p.publicURL(), p.ports["GATEWAY_TLS"]))
	for _, s := range services {
		row(s, p.publicURL()+"/"+s)
	}
	row("tasks-2", "a second replica of tasks")
	row("users-work", "onboarding")
	row("tasks-work", "imports and the trash")
	row("reports-work", "report generation")
	row("temporal", fmt.Sprintf("http://localhost:%d", p.ports["TEMPORAL_UI"]))
	row("mail", fmt.Sprintf("http://localhost:%d", p.ports["MAIL"]))
	pg := "-"
	if pid := p.postmaster(); pid > 0 {
		pg = fmt.Sprint(pid)
	}
	fmt.Fprintf(w, "postgres\t%s\t%s\n", p.at("POSTGRES"), pg)
	fmt.Fprintf(w, "docs\t%s/docs/\t\n", p.publicURL())
	return w.Flush()
}

// logs follows all logs.
func logs(_ context.Context, p *platform) error {
	files, _ := filepath.Glob(p.path("log", "*.log"))
	tailPath, err := exec.LookPath("tail")
	if err != nil {
		return err
	}
	return syscall.Exec(tailPath, append([]string{"tail", "-n", "20", "-F"}, files...), os.Environ())
}
