package gate_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"bailiwick.dev/adapters/gate"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/task"
)

// figures returns what operators see of g.
func figures(t *testing.T, g *gate.Gate) map[string]float64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(g)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		all[f.GetName()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return all
}

func TestOperatorsSeeHowTheGateIs(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s, g, who := listening(t)
		want(t, "before", g.Allow(t.Context(), who, task.TasksRead), allowed)
		synctest.Wait()
		s.push(who.Tenant, s.set(who.Tenant, who.User))
		want(t, "by a remote decision", g.Allow(t.Context(), who, task.TasksRead), allowed)
		time.Sleep(500 * time.Millisecond)
		s.with(func() { s.pull, s.check = errAway, errAway })
		time.Sleep(time.Second)
		want(t, "with nobody there", g.Allow(t.Context(), who, task.TasksRead), fault.Unavailable)
		synctest.Wait()
		want := map[string]float64{
			"gate_pulls_total": 3, "gate_pull_failures_total": 1, "gate_pushes_total": 1, "gate_remote_checks_total": 2, "gate_lease_expiries_total": 2,
			"gate_unavailable_total": 1, "gate_answer_age_seconds": 1.24, "gate_policy_version": 2, "gate_policies": 1, "gate_listening": 1,
		}
		got := figures(t, g)
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s is %v, want %v", name, got[name], value)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%d figures, want %d: %v", len(got), len(want), got)
		}
		if status := g.Status().(gate.Status); !status.Listening || status.Policies != 1 || status.Version != 2 || status.Unavailable != 1 || status.AgeSeconds != 1.24 {
			t.Errorf("readiness shows %+v", status)
		}
	})
}
