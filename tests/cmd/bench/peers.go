package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func discardBody(resp *http.Response) error {
	_, err := io.Copy(io.Discard, resp.Body)
	return err
}

func hasNPM(ctx context.Context) bool { return exec.CommandContext(ctx, "npm", "ping").Run() == nil }

// peers measures npm's oidc-provider, which keeps everything in memory, where
// there is npm.
func peers(ctx context.Context) (lines []line, err error) {
	if !hasNPM(ctx) {
		fmt.Println("there is no npm, or no registry: oidc-provider is not measured")
		return nil, nil
	}
	dir := filepath.Join(".local", "oidc-provider")
	if out, err := exec.CommandContext(ctx, "bash", "-c", "mkdir -p "+dir+" && cp tests/cmd/bench/oidc-provider/* "+dir+" && cd "+dir+" && npm ci --silent --no-audit --no-fund --ignore-scripts").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	for _, format := range []string{"jwt", "opaque"} {
		f, err := peer(ctx, dir, format)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{"oidc-provider, in memory: client credentials, " + format, f.String(), "", "", ""})
	}
	return lines, nil
}

func peer(ctx context.Context, dir, format string) (figures, error) {
	at, err := freePort()
	if err != nil {
		return figures{}, err
	}
	cmd := exec.CommandContext(ctx, "node", "server.mjs")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PORT="+strings.TrimPrefix(at, "127.0.0.1:"), "FORMAT="+format, "NODE_ENV=production")
	if err := cmd.Start(); err != nil {
		return figures{}, err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for range 100 {
		if conn, err := net.Dial("tcp", at); err == nil {
			_ = conn.Close()
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	req := mustGet("http://" + at + "/token")
	req.Method = http.MethodPost
	req = withForm(req, "grant_type=client_credentials&scope=tasks")
	req.SetBasicAuth("bench", "secret")
	return work{at: at, pid: cmd.Process.Pid, status: http.StatusOK, request: always(req)}.measure(ctx, span)
}

func withForm(req *http.Request, form string) *http.Request {
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(form)), int64(len(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}
