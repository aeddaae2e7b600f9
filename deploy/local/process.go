package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one thing that runs in the background.
type process struct {
	name  string
	args  []string
	env   []string
	ports []string // that it listens at
	ready string   // answers with 2xx when it works; empty: its first port takes connections
	user  string   // as whom it runs when we are root
	dir   string
}

// record is what is known of a process that was started.
type record struct {
	PID     int    `json:"pid"`
	Started string `json:"started"` // in clock ticks since boot: a pid alone may be another's by now
	Digest  string `json:"digest"`  // of what it was started with
}

func (p *platform) record(name string) (record, bool) {
	var r record
	data, err := os.ReadFile(p.path("run", name+".json"))
	if err != nil || json.Unmarshal(data, &r) != nil {
		return r, false
	}
	return r, startTime(r.PID) == r.Started
}

// startTime returns when the process with this pid began, or "" if there is none.
func startTime(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(data)[strings.LastIndexByte(string(data), ')')+1:])
	if len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}

// start starts pr unless it runs already with the same program and settings.
func (p *platform) start(pr process) error {
	digest, err := pr.digest()
	if err != nil {
		return err
	}
	if r, alive := p.record(pr.name); alive {
		if r.Digest == digest {
			return nil
		}
		if err := p.stop(pr.name); err != nil {
			return err
		}
	}
	for _, port := range pr.ports {
		if err := p.free(port); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(p.path("log", pr.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	args := p.as(pr.user, pr.args)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = pr.dir, environment(pr.env...), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it outlives this command
	if err := cmd.Start(); err != nil {
		return err
	}
	data, err := json.Marshal(record{cmd.Process.Pid, startTime(cmd.Process.Pid), digest})
	if err == nil {
		err = os.WriteFile(p.path("run", pr.name+".json"), data, 0o644)
	}
	go func() { _ = cmd.Wait() }() // so that it is no zombie while we look whether it lives
	return err
}

// digest tells two versions of a process apart: by the program, the arguments
// and the settings.
func (pr process) digest() (string, error) {
	h := sha256.New()
	if f, err := os.Open(pr.args[0]); err == nil {
		_, err = io.Copy(h, f)
		_ = f.Close()
		if err != nil {
			return "", err
		}
	}
	_, _ = fmt.Fprintf(h, "%q %q", pr.args, pr.env)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// healthy waits until pr works.
func (p *platform) healthy(ctx context.Context, pr process) error {
	deadline := time.Now().Add(60 * time.Second)
	for {
		if p.isReady(ctx, pr) {
			return nil
		}
		if _, alive := p.record(pr.name); !alive || time.Now().After(deadline) {
			return fmt.Errorf("%s does not work; the end of %s:\n%s", pr.name, p.path("log", pr.name+".log"), tail(p.path("log", pr.name+".log")))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *platform) isReady(ctx context.Context, pr process) bool {
	if pr.ready == "" {
		return len(pr.ports) == 0 || listens(p.at(pr.ports[0]))
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, pr.ready, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode < 400
}

func tail(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-2000):])
}

// stop asks a process to end, and makes it end after a while.
func (p *platform) stop(name string) error {
	r, alive := p.record(name)
	if alive {
		_ = syscall.Kill(r.PID, syscall.SIGTERM) // it may be gone already
		for deadline := time.Now().Add(25 * time.Second); startTime(r.PID) == r.Started; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				_ = syscall.Kill(-r.PID, syscall.SIGKILL)
			}
		}
	}
	if err := os.Remove(p.path("run", name+".json")); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// running returns the names of what was started.
func (p *platform) running() (names []string) {
	files, _ := filepath.Glob(p.path("run", "*.json"))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
	return names
}

// runs reports whether anything of the platform does.
func (p *platform) runs() bool {
	return p.postmaster() > 0 || slices.ContainsFunc(p.running(), func(name string) bool { _, alive := p.record(name); return alive })
}

// as wraps a command so that it runs as another user when we are root. Where
// the clone lies below a folder that is closed to that user, such as /root, the
// command may pass through closed folders, and is given nothing else.
func (p *platform) as(user string, args []string) []string {
	if user == "" || !isRoot() {
		return args
	}
	wrapped := []string{"setpriv", "--reuid=" + user, "--regid=" + user, "--clear-groups"}
	if !open(p.root) {
		wrapped = append(wrapped, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
	}
	return append(append(wrapped, "--"), args...)
}

// open reports whether every folder above and at path may be entered by all.
func open(path string) bool {
	for ; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if path == "/" {
			return true
		}
	}
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}
