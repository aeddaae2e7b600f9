package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"bailiwick.dev/tests/story"
)

// bound is how long after a change was answered a question may still be decided
// as before: the lease of a gate. It counts from the answer to the sending of
// the question, so that a slow machine makes neither look longer.
const bound = time.Second

// watch is a machine before every service that asks a gate: users, both
// replicas of tasks, and reports.
func watch(ctx context.Context, t *testing.T) *story.Watch {
	t.Helper()
	c, err := platform.Register(ctx, "Stale Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	w, err := platform.Watch(ctx, owner, address(8102)+"/users/v1/users", address(8104)+"/tasks/v1/projects", address(8114)+"/tasks/v1/projects", address(8105)+"/reports/v1/runs")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// revocations takes the role away n times, each time after the doors were open,
// and shows the worst of it.
func revocations(ctx context.Context, t *testing.T, w *story.Watch, n int, before func()) {
	t.Helper()
	var took []time.Duration
	for range n {
		if err := w.Give(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Until(ctx, time.Now(), http.StatusOK); err != nil {
			t.Fatal(err)
		}
		before()
		if err := w.Take(ctx); err != nil {
			t.Fatal(err)
		}
		took = append(took, denied(ctx, t, w, time.Now(), http.StatusForbidden))
	}
	slices.Sort(took)
	t.Logf("%d changes, each enforced by %d gates: half of them after %v, the worst after %v", n, len(w.Doors), took[n/2], took[n-1])
}

// denied waits until every door answers status, and returns when the last did.
func denied(ctx context.Context, t *testing.T, w *story.Watch, since time.Time, status int) (last time.Duration) {
	t.Helper()
	seen, err := w.Until(ctx, since, status)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range seen {
		if last = max(last, s.Took); s.Late >= bound {
			t.Errorf("%s: what was asked %v after the change was decided as before it, want at most %v", s.Door, s.Late, bound)
		}
	}
	return last
}

func TestRevokedIsDeniedEverywhereWithinASecond(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	revocations(ctx, t, watch(ctx, t), 50, func() {})
}

// What pushes changes is killed before each of them, then held up so that its
// connection looks alive: the pulls keep the bound.
func TestWithoutPushRevocationTakesALease(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	w := watch(ctx, t)
	revocations(ctx, t, w, 10, func() {
		query(ctx, t, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listen policy'")
	})
	for len(listeners(ctx, t)) == 0 {
		time.Sleep(50 * time.Millisecond)
	}
	hold(t, listeners(ctx, t))
	revocations(ctx, t, w, 5, func() {})
}

// However many ask for however many tenants, a process sends four pulls a second.
func TestPullsAreFourASecond(t *testing.T) {
	ctx := within(t, time.Minute)
	all := []*story.Watch{watch(ctx, t), watch(ctx, t), watch(ctx, t)}
	ports := []int{9102, 9104, 9114, 9105}
	before, began := make([]float64, len(ports)), time.Now()
	for i, port := range ports {
		before[i] = metric(ctx, t, port, "gate_pulls_total")
	}
	for time.Since(began) < 3*time.Second {
		for _, w := range all {
			if _, err := w.Until(ctx, time.Now(), http.StatusOK); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, port := range ports {
		pulls, seconds := metric(ctx, t, port, "gate_pulls_total")-before[i], time.Since(began).Seconds()
		if pulls < 1 || pulls > 4*seconds+1 {
			t.Errorf("the gate behind %d sent %v pulls in %.1f s", port, pulls, seconds)
		}
		if listening := metric(ctx, t, port, "gate_listening"); listening != 1 {
			t.Errorf("the gate behind %d hears of no changes", port)
		}
	}
}

// metric returns a figure that a process shows its operators.
func metric(ctx context.Context, t *testing.T, port int, name string) float64 {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address(port)+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("there is no %s at %d", name, port)
	return 0
}

// With the service gone, what gates hold lives no longer than its lease. Then
// they are closed, and open again by themselves.
func TestWithoutAuthzGatesClose(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	w := watch(ctx, t)
	kill(t, "authz")
	t.Logf("authz killed: all closed after %v", denied(ctx, t, w, time.Now(), http.StatusServiceUnavailable))
	up(t)
	if _, err := w.Until(ctx, time.Now(), http.StatusOK); err != nil {
		t.Fatal(err)
	}
	signal(t, "authz", syscall.SIGSTOP) // takes every request, and answers none
	t.Cleanup(func() { signal(t, "authz", syscall.SIGCONT) })
	t.Logf("authz stopped: all closed after %v", denied(ctx, t, w, time.Now(), http.StatusServiceUnavailable))
	signal(t, "authz", syscall.SIGCONT)
	if _, err := w.Until(ctx, time.Now(), http.StatusOK); err != nil {
		t.Fatal(err)
	}
	revocations(ctx, t, w, 3, func() {})
}

// PostgreSQL answers authz no more: its server processes for authz stand still,
// and the one that would start others.
func TestWithoutItsDatabaseAuthzRenewsNothing(t *testing.T) {
	ctx := within(t, 3*time.Minute)
	w := watch(ctx, t)
	resume := hold(t, append([]int{postmaster(t)}, backends(ctx, t, "datname = 'authz'")...))
	t.Logf("PostgreSQL stopped: all closed after %v", denied(ctx, t, w, time.Now(), http.StatusServiceUnavailable))
	resume()
	if _, err := w.Until(ctx, time.Now(), http.StatusOK); err != nil {
		t.Fatal(err)
	}
	revocations(ctx, t, w, 3, func() {})
}

// Two write at once: each change has a version of its own, and none is left out.
func TestTwoWritersLeaveNoGap(t *testing.T) {
	ctx := within(t, time.Minute)
	c, err := platform.Register(ctx, "Writers Ltd")
	if err != nil {
		t.Fatal(err)
	}
	owner, _, err := platform.LogIn(ctx, c.FirstClient, "", c.Owner)
	if err != nil {
		t.Fatal(err)
	}
	made, err := story.WriteAtOnce(ctx, owner, 2, 25)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := story.PolicyChanges(ctx, owner)
	if err != nil {
		t.Fatal(err)
	}
	for i, version := range changes {
		if version != int64(i+1) {
			t.Fatalf("change %d made version %d", i+1, version)
		}
	}
	if slices.Sort(made); len(slices.Compact(made)) != 50 || made[49] != changes[len(changes)-1] {
		t.Errorf("50 writes were answered with the versions %v, the last is %d", made, changes[len(changes)-1])
	}
}

func listeners(ctx context.Context, t *testing.T) []int {
	t.Helper()
	return backends(ctx, t, "application_name = 'listen policy'")
}

func backends(ctx context.Context, t *testing.T, which string) (pids []int) {
	t.Helper()
	for _, pid := range query(ctx, t, "select pid from pg_stat_activity where pid <> pg_backend_pid() and "+which) {
		pids = append(pids, number(t, pid))
	}
	return pids
}

// hold stops processes of the platform's PostgreSQL until resume is called.
func hold(t *testing.T, pids []int) (resume func()) {
	t.Helper()
	all := func(how syscall.Signal) {
		for _, pid := range pids {
			if err := syscall.Kill(pid, how); err != nil && how == syscall.SIGSTOP {
				t.Fatal(fmt.Errorf("stop %d: %w", pid, err))
			}
		}
	}
	t.Cleanup(func() { all(syscall.SIGCONT) })
	all(syscall.SIGSTOP)
	return func() { all(syscall.SIGCONT) }
}
