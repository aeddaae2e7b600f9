package pgtest

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// statements notes what a test's pool runs, and finds, when the test ends, the
// statements that no index serves: on a tenant's table that is a scan of all
// tenants' rows.
type statements struct{ seen sync.Map }

var explained sync.Map // of this process, so that each statement is explained once

func (s *statements) trace(cfg *pgxpool.Config) { cfg.ConnConfig.Tracer = s }

// TraceQueryStart implements pgx.QueryTracer.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	s.seen.Store(d.SQL, true)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (s *statements) TraceBatchQuery(_ context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	if d.Err == nil {
		s.seen.Store(d.SQL, true)
	}
}

// TraceBatchEnd implements pgx.BatchTracer.
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

var (
	explainable = regexp.MustCompile(`(?is)^\s*(select|insert|update|delete|with)\b`)
	scan        = regexp.MustCompile(`Seq Scan on (\w+)`)
)

// explain plans each statement as the application's role, for any parameters,
// with sequential scans as the last resort.
func (s *statements) explain(t testing.TB, url string) {
	ctx := context.WithoutCancel(t.Context())
	cfg, err := pgxpool.ParseConfig(url) // which knows the pool's own parameters
	if err != nil {
		t.Errorf("explain: %v", err)
		return
	}
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		t.Errorf("explain: %v", err)
		return
	}
	defer conn.Close(ctx)
	for _, sql := range []string{"set enable_seqscan = off", "set plan_cache_mode = force_generic_plan", "select set_config('app.tenant_id', '" + uuid.NewString() + "', false)"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Errorf("explain: %v", err)
			return
		}
	}
	n := 0
	s.seen.Range(func(key, _ any) bool {
		sql := key.(string)
		if _, done := explained.LoadOrStore(sql, true); done || !explainable.MatchString(sql) {
			return true
		}
		n++
		if plan := planOf(ctx, conn, fmt.Sprint("s", n), sql); scans(plan) {
			t.Errorf("no index serves this statement:\n%s\n%s", sql, plan)
		}
		return true
	})
}

// scans reports whether a plan reads a whole table that is no system's.
func scans(plan string) bool {
	for _, m := range scan.FindAllStringSubmatch(plan, -1) {
		if !strings.HasPrefix(m[1], "pg_") && m[1] != "goose_db_version" {
			return true
		}
	}
	return false
}

// planOf returns "" for what cannot be planned here, such as a statement of a
// test that is meant to be refused.
func planOf(ctx context.Context, conn *pgx.Conn, name, sql string) string {
	prepared, err := conn.Prepare(ctx, name, sql)
	if err != nil {
		return ""
	}
	args := strings.TrimSuffix(strings.Repeat("null,", len(prepared.ParamOIDs)), ",")
	if args != "" {
		args = "(" + args + ")"
	}
	rows, err := conn.Query(ctx, "explain execute "+name+args, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return ""
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return ""
	}
	return strings.Join(lines, "\n")
}
