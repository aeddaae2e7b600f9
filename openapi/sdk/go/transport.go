package bailiwick

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// Transport gives every write an Idempotency-Key and tries again what failed
// on the way or was refused for the moment: with the key a write happens once,
// however often it is sent.
type Transport struct {
	Base     http.RoundTripper // nil: http.DefaultTransport
	Attempts int               // at most; 0: 4
	Backoff  time.Duration     // before the second attempt, doubled each time, give or take a half; 0: 200 ms
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	setKey(req)
	wait := cmp.Or(t.Backoff, 200*time.Millisecond)
	for attempt := 1; ; attempt++ {
		resp, err := t.base().RoundTrip(req)
		if attempt >= cmp.Or(t.Attempts, 4) || !again(resp, err) || !rewind(req) {
			return resp, err
		}
		pause := max(wait/2+mathrand.N(wait), retryAfter(resp)) // clients that failed together do not come back together
		if resp != nil {
			discard(resp)
		}
		select {
		case <-req.Context().Done():
			return nil, req.Context().Err()
		case <-time.After(pause):
		}
		wait *= 2
	}
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

// setKey names a write, unless the caller did.
func setKey(req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead && req.Header.Get("Idempotency-Key") == "" {
		req.Header.Set("Idempotency-Key", rand.Text())
	}
}

func again(resp *http.Response, err error) bool {
	if err != nil {
		return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// rewind readies the body for another attempt.
func rewind(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return true
	}
	if req.GetBody == nil {
		return false
	}
	body, err := req.GetBody()
	req.Body = body
	return err == nil
}

// discard ends with an answer so that its connection can be used again.
func discard(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
}

// longestWait bounds what an answer may ask for.
const longestWait = 30 * time.Second

// retryAfter returns how long an answer asks to wait, by seconds or a date.
func retryAfter(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	asked := resp.Header.Get("Retry-After")
	if at, err := http.ParseTime(asked); err == nil {
		return min(time.Until(at), longestWait)
	}
	seconds, _ := strconv.ParseUint(asked, 10, 32) // 0: it does not ask
	return min(time.Duration(seconds)*time.Second, longestWait)
}
