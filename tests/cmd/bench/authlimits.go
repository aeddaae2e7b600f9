package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/jackc/pgx/v5/pgxpool"

	"bailiwick.dev/tests/story"
)

var limitsAre = map[string]string{
	"bare":   "a bare chi handler",
	"sign":   "a chi handler that signs one ES256 JWT",
	"select": "a chi handler that does one pgx select",
}

// limits are handlers in this process that do only what cannot be avoided.
type limits struct {
	at   string
	stop func()
}

func (w *world) limits(ctx context.Context) (*limits, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		return nil, err
	}
	db, err := pgxpool.New(ctx, fmt.Sprintf("postgres://auth_app:%s@127.0.0.1:%s/auth", w.secrets["auth_app"], story.Port("POSTGRES", 15432)))
	if err != nil {
		return nil, err
	}
	body := map[string]string{"hello": "world"}
	answer := func(w http.ResponseWriter, v any, err error) {
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // the client is gone if this fails
	}
	r := chi.NewRouter()
	r.Get("/bare", func(w http.ResponseWriter, _ *http.Request) { answer(w, body, nil) })
	r.Get("/sign", func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now()
		token, err := jwt.Signed(signer).Claims(jwt.Claims{Issuer: "bench", Subject: "bench", ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute))}).Serialize()
		answer(w, map[string]string{"access_token": token}, err)
	})
	r.Get("/select", func(w http.ResponseWriter, r *http.Request) {
		var n int
		err := db.QueryRow(r.Context(), "select 1").Scan(&n)
		answer(w, n, err)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: r}
	go func() { _ = srv.Serve(l) }()
	return &limits{"http://" + l.Addr().String(), func() { _ = srv.Close(); db.Close() }}, nil
}

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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return figures{}, err
	}
	at := l.Addr().(*net.TCPAddr)
	_ = l.Close() // it is lent to the other process
	cmd := exec.CommandContext(ctx, "node", "server.mjs")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), fmt.Sprintf("PORT=%d", at.Port), "FORMAT="+format, "NODE_ENV=production")
	if err := cmd.Start(); err != nil {
		return figures{}, err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for range 100 {
		if conn, err := net.Dial("tcp", at.String()); err == nil {
			_ = conn.Close()
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	req := mustGet("http://" + at.String() + "/token")
	req.Method = http.MethodPost
	req = withForm(req, "grant_type=client_credentials&scope=tasks")
	req.SetBasicAuth("bench", "secret")
	return work{at: at.String(), pid: cmd.Process.Pid, status: http.StatusOK, request: always(req)}.measure(ctx)
}

func withForm(req *http.Request, form string) *http.Request {
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(form)), int64(len(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}
