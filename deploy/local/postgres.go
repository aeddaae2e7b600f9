package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postgresUp makes the cluster once and starts the server. As root it runs as
// the user postgres, because PostgreSQL refuses root.
func (p *platform) postgresUp(ctx context.Context) error {
	bin, data := filepath.Dir(needs[0].found()), p.path("postgres")
	if p.postmaster() > 0 {
		return p.elsewhere()
	}
	if err := p.free("POSTGRES"); err != nil {
		return err
	}
	if !exists(filepath.Join(data, "PG_VERSION")) {
		if err := p.initdb(ctx, bin, data); err != nil {
			return err
		}
	}
	// PostgreSQL would take whatever has that pid for a server of its own.
	if err := os.Remove(filepath.Join(data, "postmaster.pid")); err != nil && !os.IsNotExist(err) {
		return err
	}
	opts := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 -c shared_buffers=256MB", p.ports["POSTGRES"])
	return run(ctx, data, environment(), p.as("postgres", []string{filepath.Join(bin, "pg_ctl"), "-w", "-s", "-D", data, "-l", filepath.Join(data, "server.log"), "-o", opts, "start"})...)
}

func (p *platform) initdb(ctx context.Context, bin, data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	password := filepath.Join(data, "..", "postgres.password")
	if err := os.WriteFile(password, []byte(p.secrets["postgres"]), 0o600); err != nil {
		return err
	}
	defer os.Remove(password)
	if isRoot() {
		if err := run(ctx, "", environment(), "chown", "postgres:postgres", data, password); err != nil {
			return err
		}
	}
	return run(ctx, data, environment(), p.as("postgres", []string{filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "scram-sha-256",
		"--pwfile=" + password, "-E", "UTF8", "--locale=C.UTF-8"})...)
}

// postmaster returns the pid of our server, or 0. One that was killed leaves its
// pid, which is a zombie's for a while, and later perhaps another program's.
func (p *platform) postmaster() int {
	data, err := os.ReadFile(p.path("postgres", "postmaster.pid"))
	if err != nil {
		return 0
	}
	lines := strings.SplitN(string(data), "\n", 3)
	pid := atoi(strings.TrimSpace(lines[0]))
	comm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil || !strings.HasPrefix(string(comm), "postgres") || startTime(pid) == "" {
		return 0
	}
	in, err := os.Stat("/proc/" + strconv.Itoa(pid) + "/cwd")
	ours, missing := os.Stat(p.path("postgres"))
	if err == nil && missing == nil && !os.SameFile(in, ours) {
		return 0
	}
	return pid
}

// elsewhere returns an error where the platform runs, but at other ports than p's.
func (p *platform) elsewhere() error {
	if p.kept != "" && p.kept != strconv.Itoa(p.offset) {
		return fmt.Errorf("BAILIWICK_PORT_OFFSET is %d, but the platform runs with %s: leave it unset, or make down", p.offset, p.kept)
	}
	if pid := p.postmaster(); pid > 0 && !listens(p.at("POSTGRES")) {
		return fmt.Errorf("PostgreSQL runs (pid %d) at another port than %d: set BAILIWICK_PORT_OFFSET as it was, or make down", pid, p.ports["POSTGRES"])
	}
	return nil
}

// postgresDown stops the server at once, but in order.
func (p *platform) postgresDown() {
	pid := p.postmaster()
	if pid == 0 {
		return
	}
	_ = syscall.Kill(pid, syscall.SIGINT) // fast shutdown
	for p.postmaster() == pid {
		time.Sleep(20 * time.Millisecond)
	}
}
