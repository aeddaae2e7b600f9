package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// query asks the platform's PostgreSQL as an administrator does, and returns
// the lines of the answer.
func query(ctx context.Context, t *testing.T, sql string) []string {
	t.Helper()
	return queryIn(ctx, t, "postgres", sql)
}

// queryIn is query in one of the databases.
func queryIn(ctx context.Context, t *testing.T, database, sql string) []string {
	t.Helper()
	secrets := map[string]string{}
	data, err := os.ReadFile(filepath.Join(root, state, "secrets.json"))
	if err == nil {
		err = json.Unmarshal(data, &secrets)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "psql", "-h", "127.0.0.1", "-p", strconv.Itoa(15432+offset), "-U", "postgres", "-d", database, "-AXtqc", sql)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+secrets["postgres"])
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
	return strings.Fields(string(out))
}

// postmaster returns the pid of the process that starts all others of the
// platform's PostgreSQL.
func postmaster(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, state, "postgres", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, _, _ := strings.Cut(string(data), "\n")
	return number(t, strings.TrimSpace(pid))
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
