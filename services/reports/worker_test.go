package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/consul/sdk/freeport"
	"go.temporal.io/sdk/client"

	"bailiwick.dev/adapters/blob"
	"bailiwick.dev/adapters/postgres/pgtest"
	"bailiwick.dev/adapters/postgres/reportsdb"
	"bailiwick.dev/adapters/telemetry"
	accessfake "bailiwick.dev/domain/access/fake"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/report"
	"bailiwick.dev/domain/report/fake"
	"bailiwick.dev/workflows/reporting"
	"bailiwick.dev/workflows/temporal"
	"bailiwick.dev/workflows/temporal/temporaltest"
)

// TestMain lets this binary be a worker, a real process that can be killed.
func TestMain(m *testing.M) {
	if os.Getenv("REPORTS_TEST_ROLE") == "work" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		telemetry.Logs("reports")
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // held open by the test
			os.Exit(3)
		}()
		if err := work(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const (
	pages   = 8
	perPage = 100
)

// stage is everything around the worker: a real database, a real Temporal
// server, and the other services as far as the worker knows them.
type stage struct {
	db      pgtest.Database
	service *report.Service
	who     identity.Caller
	client  client.Client
	address string // of Temporal, at a port that no outgoing connection is given
	dir     string // of the files
	others  string // the URL of the other services
	served  atomic.Int64
	pause   atomic.Int64 // before each page, in milliseconds
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{db: pgtest.New(t, "reports", reportsdb.Migrations), dir: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", freeport.GetOne(t)),
		who: identity.Caller{Tenant: uuid.New(), User: uuid.New()}}
	s.pause.Store(300)
	srv := httptest.NewServer(http.HandlerFunc(s.serveOthers))
	t.Cleanup(srv.Close)
	s.others = srv.URL
	files, err := blob.Open(t.Context(), s.bucket())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	if s.client, err = temporal.Connect(s.address, "default"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.client.Close)
	s.service = report.NewService(reportsdb.New(s.db.App), files, reporting.Starter{Client: s.client}, &fake.Source{}, accessfake.Gate{})
	return s
}

func (s *stage) bucket() string { return "file://" + s.dir + "?no_tmp_dir=true" }

// serveOthers is the auth service's token endpoint and the tasks service's list.
func (s *stage) serveOthers(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/auth/token" {
		_, _ = w.Write([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":600}`))
		return
	}
	s.served.Add(1)
	select {
	case <-time.After(time.Duration(s.pause.Load()) * time.Millisecond):
	case <-r.Context().Done():
		return
	}
	n, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	answer := map[string]any{"items": tasks(perPage)}
	if n+1 < pages {
		answer["next_cursor"] = strconv.Itoa(n + 1)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// startTemporal starts a real server, and waits until it answers.
func (s *stage) startTemporal(t *testing.T) {
	t.Helper()
	_, port, _ := net.SplitHostPort(s.address)
	metrics := strconv.Itoa(freeport.GetOne(t))
	run(t, exec.Command("sh", "-c", `"$0" "$@" </dev/null & cat >/dev/null; kill -9 $!`, temporaltest.CLI(t), "server", "start-dev", "--ip", "127.0.0.1", "--port", port, "--metrics-port", metrics, "--headless",
		"--log-level", "error", "--search-attribute", "TenantId=Keyword", "--search-attribute", "Kind=Keyword"))
	eventually(t, 30*time.Second, "Temporal answers", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.client.CheckHealth(ctx, nil)
		return err == nil
	})
}

// startWorker starts a worker's process.
func (s *stage) startWorker(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{
		"REPORTS_TEST_ROLE=work", "PATH=" + os.Getenv("PATH"), "TMPDIR=" + t.TempDir(),
		"BAILIWICK_DATABASE_URL=" + s.db.AppURL, "BAILIWICK_SYSTEM_DATABASE_URL=" + s.db.SystemURL, "BAILIWICK_TEMPORAL_ADDRESS=" + s.address,
		"BAILIWICK_BLOB_URL=" + s.bucket(), "BAILIWICK_CLIENT_ID=svc-reports", "BAILIWICK_CLIENT_SECRET=s",
		"BAILIWICK_AUTH_URL=" + s.others, "BAILIWICK_TASKS_URL=" + s.others,
	}
	run(t, cmd)
	return cmd
}

// run starts a process that ends when its standard input does, and so does not
// outlive the test, however that ends. Its output is shown when the test fails.
func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	alive, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = alive.Close()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", filepath.Base(cmd.Path), out.String())
		}
	})
}

func eventually(t *testing.T, patience time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func (s *stage) ask(t *testing.T, f report.Format) report.Run {
	t.Helper()
	r, err := s.service.Create(t.Context(), s.who, report.RunDraft{Format: f})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (s *stage) read(t *testing.T, id uuid.UUID) report.Run {
	t.Helper()
	r, err := s.service.Get(t.Context(), s.who, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// files are all that lie in the bucket's directory, attributes left out.
func (s *stage) files(t *testing.T) (all []string) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) != ".attrs" {
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
