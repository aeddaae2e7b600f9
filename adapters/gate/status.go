package gate

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// counts is what a gate has done.
type counts struct {
	asked, failures, pushes, checks, expiries, unavailable atomic.Int64
	version                                                atomic.Int64 // of the policy compiled last
	answered                                               moment       // when the newest answer was asked for
	listening                                              atomic.Bool
}

type moment struct{ at atomic.Pointer[time.Time] }

func (m *moment) Store(t time.Time) { m.at.Store(&t) }

// age returns the time since m in seconds, or 0 if it never came.
func (m *moment) age() float64 {
	if t := m.at.Load(); t != nil {
		return time.Since(*t).Seconds()
	}
	return 0
}

// Status is what readiness shows of a gate. A gate that nobody needs asks for
// nothing, so its answers grow old.
type Status struct {
	Listening   bool    `json:"listening"`
	AgeSeconds  float64 `json:"age_seconds"`
	Version     int64   `json:"version"`
	Policies    int     `json:"policies"`
	Expiries    int64   `json:"expiries"`
	Unavailable int64   `json:"unavailable"`
}

// Status returns how the gate is, as a Status.
func (g *Gate) Status() any {
	return Status{g.listening.Load(), g.answered.age(), g.version.Load(), g.policies.Len(), g.expiries.Load(), g.unavailable.Load()}
}

var _ prometheus.Collector = (*Gate)(nil)

type metric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(g *Gate) float64
}

func newMetric(kind prometheus.ValueType, name, help string, of func(g *Gate) float64) metric {
	return metric{prometheus.NewDesc("gate_"+name, help, nil, nil), kind, of}
}

func counter(name, help string, of func(g *Gate) *atomic.Int64) metric {
	return newMetric(prometheus.CounterValue, name, help, func(g *Gate) float64 { return float64(of(g).Load()) })
}

// metrics name no tenant: there may be many, and whose they are is nobody's business.
var metrics = []metric{
	counter("pulls_total", "Pulls that were sent, each for all tenants in use.", func(g *Gate) *atomic.Int64 { return &g.asked }),
	counter("pull_failures_total", "Pulls that brought no answer.", func(g *Gate) *atomic.Int64 { return &g.failures }),
	counter("pushes_total", "Changes that were heard of.", func(g *Gate) *atomic.Int64 { return &g.pushes }),
	counter("remote_checks_total", "Decisions asked of the authorization service.", func(g *Gate) *atomic.Int64 { return &g.checks }),
	counter("lease_expiries_total", "Decisions that found a lease over.", func(g *Gate) *atomic.Int64 { return &g.expiries }),
	counter("unavailable_total", "Denials because nobody could tell.", func(g *Gate) *atomic.Int64 { return &g.unavailable }),
	newMetric(prometheus.GaugeValue, "answer_age_seconds", "Time since the newest answer was asked for; it grows while nobody needs one.", func(g *Gate) float64 { return g.answered.age() }),
	newMetric(prometheus.GaugeValue, "policy_version", "Version of the policy that was compiled last.", func(g *Gate) float64 { return float64(g.version.Load()) }),
	newMetric(prometheus.GaugeValue, "policies", "Tenants whose policy is held.", func(g *Gate) float64 { return float64(g.policies.Len()) }),
	newMetric(prometheus.GaugeValue, "listening", "1 while changes are pushed.", func(g *Gate) float64 {
		if g.listening.Load() {
			return 1
		}
		return 0
	}),
}

// Describe implements prometheus.Collector.
func (g *Gate) Describe(all chan<- *prometheus.Desc) {
	for _, m := range metrics {
		all <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (g *Gate) Collect(all chan<- prometheus.Metric) {
	for _, m := range metrics {
		all <- prometheus.MustNewConstMetric(m.desc, m.kind, m.of(g))
	}
}
