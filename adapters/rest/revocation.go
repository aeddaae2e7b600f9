package rest

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"bailiwick.dev/domain/identity"
)

// pull is how often a process asks for revocations, whatever its traffic. A
// revocation bites everywhere within it and the time that the answer takes.
const pull = time.Second

var (
	pulledAt = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "token_revocations_pulled_timestamp_seconds", Help: "When the revocations of access tokens were last read: while they cannot be, a revoked token lives until it expires."})
	revokedCount = promauto.NewGauge(prometheus.GaugeOpts{Name: "token_revocations", Help: "Revocations of access tokens that have not expired yet."})
)

// revocations are those whose tokens have not all expired yet.
type revocations struct {
	mu   sync.RWMutex
	all  map[revokedKey]identity.Revocation
	next int64
}

type revokedKey struct {
	tenant  uuid.UUID
	subject string
}

// Watch reads revocations from feed, once every second in the background, until
// ctx ends. While feed fails, those known stay in force.
func (v *Verifier) Watch(ctx context.Context, feed func(ctx context.Context, since int64) (identity.Revocations, error)) {
	tick := time.NewTicker(pull)
	defer tick.Stop()
	fine := true
	for {
		err := v.pull(ctx, feed)
		if err != nil && fine && ctx.Err() == nil {
			slog.Warn("revocations of tokens cannot be read: tokens live until they expire", "error", err)
		}
		fine = err == nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (v *Verifier) pull(ctx context.Context, feed func(context.Context, int64) (identity.Revocations, error)) error {
	got, err := feed(ctx, v.revoked.next)
	if err != nil {
		return err
	}
	n, news := v.revoked.add(got, time.Now())
	pulledAt.SetToCurrentTime()
	revokedCount.Set(float64(n))
	if !news {
		return nil
	}
	for _, digest := range v.seen.Keys() {
		if was, ok := v.seen.Peek(digest); ok && v.revoked.refuses(was.lineage) {
			v.seen.Remove(digest)
		}
	}
	return nil
}

// add drops what has expired, and reports how many there are and whether one is new.
func (r *revocations) add(got identity.Revocations, now time.Time) (n int, news bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[revokedKey]identity.Revocation{}
	}
	for k, e := range r.all {
		if now.After(e.ExpiresAt) {
			delete(r.all, k)
		}
	}
	for _, e := range got.Items { // the last ones may come again
		k := revokedKey{e.Tenant, e.Subject}
		if was, ok := r.all[k]; !ok || e.At.After(was.At) {
			r.all[k], news = e, true
		}
	}
	r.next = got.Next
	return len(r.all), news
}

// lineage is what of a token a revocation can name.
type lineage struct {
	who    identity.Caller
	jti    string // of a person's login: "<family>.<random>", where the family is a UUIDv7
	issued time.Time
}

// begun is when the login was that a token stems from, or else when it was issued.
func (l lineage) begun() (time.Time, string) {
	name, _, found := strings.Cut(l.jti, ".")
	if family, err := uuid.Parse(name); found && err == nil {
		if family.Version() == 7 {
			sec, nsec := family.Time().UnixTime()
			return time.Unix(sec, nsec), name
		}
		return l.issued, name
	}
	return l.issued, ""
}

func (r *revocations) refuses(l lineage) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.all) == 0 {
		return false
	}
	before := func(t time.Time, subject string) bool {
		e, ok := r.all[revokedKey{l.who.Tenant, subject}]
		return ok && !t.After(e.At)
	}
	begun, family := l.begun()
	if before(time.Time{}, "token:"+l.jti) || family != "" && before(time.Time{}, "family:"+family) {
		return true
	}
	if l.who.User != uuid.Nil && before(begun, "user:"+l.who.User.String()) {
		return true
	}
	// Our own services act for a tenant that is suspended, too: to open it again.
	return !l.who.IsPlatform() && (before(l.issued, "") || before(l.issued, "client:"+l.who.Client))
}
