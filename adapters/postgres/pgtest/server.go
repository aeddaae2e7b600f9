package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"syscall"
	"time"

	"github.com/hashicorp/consul/sdk/freeport"
	"github.com/jackc/pgx/v5"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

// Image is what a container runs; deploy/docker/postgres builds it where no
// registry can be reached.
const Image = "bailiwick/postgres:15"

func start() (string, error) {
	if url := os.Getenv("TEST_DATABASE_URL"); url != "" {
		return url, nil
	}
	url, err := container()
	if err == nil {
		return url, nil
	}
	url, binErr := binaries()
	if binErr == nil {
		return url, nil
	}
	return "", fmt.Errorf("set TEST_DATABASE_URL, or start Docker (%w), or install PostgreSQL (%w)", err, binErr)
}

func container() (string, error) {
	if _, err := os.Stat("/var/run/docker.sock"); err != nil && os.Getenv("DOCKER_HOST") == "" {
		return "", errors.New("no Docker engine")
	}
	// The reaper's image cannot be had everywhere; the server ends with this process (see reap).
	_ = os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	if _, err := os.Stat("/.dockerenv"); err == nil && os.Getenv("TESTCONTAINERS_HOST_OVERRIDE") == "" {
		_ = os.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := testcontainers.Run(ctx, Image,
		testcontainers.WithEnv(map[string]string{"POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": password, "POSTGRES_DB": "postgres"}),
		testcontainers.WithExposedPorts("5432/tcp"),
		testcontainers.WithWaitStrategy(wait.ForListeningPort("5432/tcp")))
	if err != nil {
		_ = testcontainers.TerminateContainer(c) // one that began and did not come up
		return "", err
	}
	at, err := c.PortEndpoint(ctx, "5432/tcp", "")
	if err != nil {
		return "", err
	}
	reap("docker", "rm", "-f", "-v", c.GetContainerID())
	url := fmt.Sprintf("postgres://postgres:%s@%s/postgres?sslmode=disable", password, at)
	return url, answers(ctx, url)
}

// answers waits until the server, which takes connections before it answers
// them, answers.
func answers(ctx context.Context, url string) error {
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if p, err := exec.LookPath("initdb"); err == nil {
		found = append(found, p)
	}
	if len(found) == 0 {
		return "", errors.New("no initdb")
	}
	sort.Strings(found)
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "pgtest-") // open to the other user, unlike t.TempDir
	if err != nil {
		return "", err
	}
	port, err := freeport.Take(1)
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	if err := asPostgres(dir, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"); err != nil {
		return "", err
	}
	opts := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories=%s -c fsync=off -c max_connections=200", port[0], dir)
	if err := asPostgres(dir, filepath.Join(bin, "pg_ctl"), "-D", data, "-w", "-o", opts, "-l", filepath.Join(dir, "log"), "start"); err != nil {
		return "", err
	}
	reap("sh", "-c", fmt.Sprintf("kill -QUIT $(head -1 %s/postmaster.pid); sleep 1; rm -rf %s", data, dir))
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port[0]), nil
}

// asPostgres runs a command as the user postgres when we are root, as whom
// PostgreSQL refuses to run.
func asPostgres(dir, name string, args ...string) error {
	if os.Geteuid() == 0 {
		if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		args = append([]string{"--reuid=postgres", "--regid=postgres", "--clear-groups", "--", name}, args...)
		name = "setpriv"
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	log := filepath.Join(dir, "start.log")
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f // a file: a pipe would stay open in the server
	if err := cmd.Run(); err != nil {
		out, _ := os.ReadFile(log)
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// reap runs a command when this process is gone, however it went: a shell
// waits for the end of a pipe that only we hold open.
func reap(name string, args ...string) {
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	cmd := exec.Command("sh", append([]string{"-c", `cat >/dev/null; exec "$0" "$@" >/dev/null 2>&1`, name}, args...)...)
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if cmd.Start() == nil {
		_ = r.Close()
		held = append(held, w)
	}
}

var held []*os.File // kept from the garbage collector, which would close them
