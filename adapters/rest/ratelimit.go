package rest

import (
	"fmt"
	"math"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// rateWindow is that in which a client may send its quota.
const rateWindow = time.Minute

// quotas hold, for each client of each tenant, a token bucket of this process
// (draft-ietf-httpapi-ratelimit-headers). The least used are forgotten.
type quotas struct {
	perWindow int
	policy    string
	buckets   *lru.Cache[quotaKey, *rate.Limiter]
}

type quotaKey struct {
	tenant identity.TenantID
	client string
}

func newQuotas(perWindow int) *quotas {
	if perWindow <= 0 {
		return nil
	}
	buckets, err := lru.New[quotaKey, *rate.Limiter](cachedCount)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &quotas{perWindow, fmt.Sprintf(`"client";q=%d;w=%.0f`, perWindow, rateWindow.Seconds()), buckets}
}

// take counts a request of who and says in h how many are left, and for how
// many seconds from none to all of them. Our own services are not counted.
func (q *quotas) take(who identity.Caller, h http.Header, now time.Time) error {
	if q == nil || who.IsPlatform() {
		return nil
	}
	key := quotaKey{who.Tenant, who.Client}
	bucket, ok := q.buckets.Get(key)
	if !ok {
		bucket = rate.NewLimiter(rate.Limit(float64(q.perWindow)/rateWindow.Seconds()), q.perWindow)
		q.buckets.Add(key, bucket)
	}
	allowed, left := bucket.AllowN(now, 1), max(0, bucket.TokensAt(now))
	full := math.Ceil((float64(q.perWindow) - left) / float64(bucket.Limit()))
	h.Set("RateLimit-Policy", q.policy)
	h.Set("RateLimit", fmt.Sprintf(`"client";r=%.0f;t=%.0f`, math.Floor(left), full))
	if allowed {
		return nil
	}
	return &fault.Error{Kind: fault.Throttled, Code: "rate_limited", Message: "this client has used up its quota for the moment",
		RetryAfter: time.Duration(float64(time.Second) / float64(bucket.Limit()))}
}
