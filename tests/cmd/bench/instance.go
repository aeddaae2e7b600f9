package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// instance is a process beside the platform: a tasks service with settings of its
// own, or the limits.
type instance struct {
	at  string
	pid int
	cmd *exec.Cmd
}

// startTasks runs a tasks service like the one that deploy/local has started, whose
// environment it takes over, but on another database and at ports of its own.
func startTasks(ctx context.Context, database string) (*instance, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid("tasks")))
	if err != nil {
		return nil, err
	}
	at, err := freePort()
	if err != nil {
		return nil, err
	}
	var env []string
	for _, v := range strings.Split(strings.TrimRight(string(data), "\x00"), "\x00") {
		switch name, value, _ := strings.Cut(v, "="); name {
		case "BAILIWICK_LISTEN":
			v = name + "=" + at
		case "BAILIWICK_METRICS_LISTEN":
			continue
		case "BAILIWICK_DATABASE_URL", "BAILIWICK_SYSTEM_DATABASE_URL":
			v = name + "=" + strings.Replace(value, "/tasks?", "/"+database+"?", 1)
		}
		env = append(env, v)
	}
	log, err := os.OpenFile(".local/log/bench-"+database+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644) // as a service's is
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, ".local/bin/tasks", "serve")
	cmd.Env, cmd.Stderr = append(env, "BAILIWICK_RATE_LIMIT=0"), log
	return start(ctx, cmd, at)
}

// freePort returns an address that nothing listens at, for another process.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// start runs what will serve at an address, and waits until it is ready.
func start(ctx context.Context, cmd *exec.Cmd, at string) (*instance, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	i := &instance{at: at, pid: cmd.Process.Pid, cmd: cmd}
	return i, i.ready(ctx)
}

// load is one request to it, over and over.
func (i *instance) load(req *http.Request) work {
	return work{at: i.at, pid: i.pid, status: http.StatusOK, request: always(req)}
}

func (i *instance) ready(ctx context.Context) error {
	for ctx.Err() == nil {
		if resp, err := http.Get("http://" + i.at + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode < 300 {
				return nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	return ctx.Err()
}

// ask sends one request and wants success.
func (i *instance) ask(ctx context.Context, request []byte) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", i.at)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(request); err != nil {
		return err
	}
	var answer []byte
	for buffer := make([]byte, 64<<10); !whole(answer); {
		n, err := conn.Read(buffer)
		if err != nil {
			return err
		}
		answer = append(answer, buffer[:n]...)
	}
	if s := status(answer); s >= 300 {
		return fmt.Errorf("%.200s: %d", request, s)
	}
	return nil
}

// stop ends the process and waits until it has let go of its database.
func (i *instance) stop() {
	_ = i.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	_ = i.cmd.Wait()
}
