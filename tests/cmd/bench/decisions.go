package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"golang.org/x/oauth2/clientcredentials"

	"bailiwick.dev/tests/story"
)

// decisions measures what decisions cost: remote ones, pulls, how soon a change
// is enforced, the gate's part of a request, and the compiled decision itself.
func (w *world) decisions(ctx context.Context) (lines []line, err error) {
	for _, measure := range []func(context.Context) ([]line, error){w.checks, w.pulls, w.enforcement, w.share} {
		more, err := measure(ctx)
		if err != nil {
			return nil, err
		}
		lines = append(lines, more...)
	}
	more, err := goBench(ctx, decisionBenchmarks)
	return append(lines, more...), err
}

var decisionBenchmarks = []benchmark{
	{"a decision", "./adapters/casbin", "BenchmarkDecision", "100 ns and 0 allocations, beside Casbin's own"},
	{"a decision at the gate", "./adapters/gate", "BenchmarkAllow", "0 allocations"},
	{"compiling a tenant's policy", "./adapters/casbin", "BenchmarkCompile", "1 ms for a tenant of 10 roles"},
	{"10,000 tenants in one process", "./adapters/casbin", "BenchmarkMemory", "stated"},
}

func (w *world) authz(path, token string, body any) *http.Request {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // only for what JSON cannot say
	}
	req, err := http.NewRequest(http.MethodPost, direct("AUTHZ", 8103)+"/authz/v1/"+path, bytes.NewReader(raw))
	if err != nil {
		panic(err) // only for an address that is none
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	return req
}

// checks measures one remote decision beside a handler that does nothing but
// read a question and answer it, and a hundred decisions beside one.
func (w *world) checks(ctx context.Context) ([]line, error) {
	one := map[string]string{"permission": "tasks:write"}
	items := make([]map[string]string, 100)
	for i := range items {
		items[i] = map[string]string{"id": fmt.Sprint(i), "permission": "tasks:write"}
	}
	single, err := w.load("authz", w.authz("check", w.token, one)).measure(ctx, span)
	if err != nil {
		return nil, err
	}
	l, err := w.startLimits(ctx)
	if err != nil {
		return nil, err
	}
	defer l.stop()
	plain, err := l.load(w.authz("check", w.token, one)).measure(ctx, span)
	if err != nil {
		return nil, err
	}
	batch, err := w.load("authz", w.authz("check:batch", w.token, map[string]any{"items": items})).measure(ctx, span)
	return []line{
		{"authz: a decision", single.String(), plain.String(), "0.4 of a bare chi handler", ratio(single.rate, plain.rate)},
		{"authz: 100 decisions at once", batch.String(), single.String(), "5 times the time of one (p50)", ratio(ms(batch.p50), ms(single.p50))},
	}, err
}

// pulls measures the question by which a gate renews the leases of many tenants.
func (w *world) pulls(ctx context.Context) (lines []line, err error) {
	cc := clientcredentials.Config{ClientID: "svc-tasks", ClientSecret: w.secrets["svc-tasks"], TokenURL: direct("AUTH", 8101) + "/auth/token",
		EndpointParams: map[string][]string{"resource": {"urn:bailiwick:tenant:" + uuid.Max.String()}, "scope": {"platform"}}}
	token, err := cc.Token(ctx)
	if err != nil {
		return nil, err
	}
	for _, tenants := range []int{1, 1000, 10_000} {
		held := make([]map[string]any, tenants)
		for i := range held {
			held[i] = map[string]any{"tenant_id": uuid.New(), "version": 0}
		}
		f, err := w.load("authz", w.authz("platform/policies", token.AccessToken, map[string]any{"held": held})).measure(ctx, span)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line{fmt.Sprintf("authz: a pull for %d tenants", tenants), f.String(), "4/s for each process", "what a gate sends at most", ""})
	}
	return lines, nil
}

const changes = 1000

// enforcement measures how long after a change was answered the gates of three
// services decide by it: a role is taken away and given back.
func (w *world) enforcement(ctx context.Context) ([]line, error) {
	p := w.platform()
	owner, _, err := p.LogIn(ctx, w.company.FirstClient, "", w.company.Owner)
	if err != nil {
		return nil, err
	}
	watch, err := p.Watch(ctx, owner, direct("USERS", 8102)+"/users/v1/users", direct("TASKS", 8104)+"/tasks/v1/projects", direct("REPORTS", 8105)+"/reports/v1/runs")
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	late := time.Duration(0)
	for len(took) < changes {
		for _, change := range []struct {
			make   func(context.Context) error
			status int
		}{{watch.Take, http.StatusForbidden}, {watch.Give, http.StatusOK}} {
			if err := change.make(ctx); err != nil {
				return nil, err
			}
			seen, err := watch.Until(ctx, time.Now(), change.status)
			if err != nil {
				return nil, err
			}
			last := slices.MaxFunc(seen, func(a, b story.Seen) int { return int(a.Took - b.Took) })
			took = append(took, last.Took)
			for _, s := range seen {
				late = max(late, s.Late)
			}
		}
	}
	slices.Sort(took)
	ours := fmt.Sprintf("p50 %.1f ms  p99 %.1f ms  worst %.1f ms; last old decision %.1f ms after", ms(took[changes/2]), ms(took[changes*99/100]), ms(took[changes-1]), ms(late))
	return []line{{fmt.Sprintf("a change enforced by 3 services, %d changes", changes), ours, "p50 100 ms  worst 1 s", "the promise", ""}}, nil
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }
