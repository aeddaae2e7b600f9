package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"golang.org/x/sync/semaphore"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
)

// smallBody is read and decoded however many come at once.
const smallBody = 16 << 10

// takeTurns bounds the values of all large bodies that a process decodes and
// works on at once to what one may hold: where huma finds each wrong, a MiB of
// them takes a hundred. Each waits as a whole, so that a slow sender keeps nobody.
func (a *API) takeTurns(op huma.Operation) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		if r.ContentLength >= 0 && r.ContentLength <= smallBody {
			next(ctx)
			return
		}
		body, err := readBody(w, r, op)
		if err != nil {
			a.refuse(w, r, Caller(ctx.Context()), err)
			return
		}
		values, err := countValues(body)
		if err == nil {
			if a.turns.Acquire(r.Context(), int64(values)) != nil {
				panic(http.ErrAbortHandler) // the client is gone
			}
			defer a.turns.Release(int64(values))
		}
		next(ctx)
	}
}

// maxFiles bounds the bytes of all files that a process takes at once, of which
// one tenant may take half.
const maxFiles = 64 << 20

// room is what is left of maxFiles.
type room struct {
	all *semaphore.Weighted
	mu  sync.Mutex
	of  map[identity.TenantID]int64 // what each tenant takes
}

func newRoom() *room {
	return &room{all: semaphore.NewWeighted(maxFiles), of: map[identity.TenantID]int64{}}
}

// enter waits for room until ctx ends; a tenant that has its half does not wait.
func (r *room) enter(ctx context.Context, tenant identity.TenantID, size int64) (leave func(), ok bool) {
	if !r.take(tenant, size) {
		return nil, false
	}
	if r.all.Acquire(ctx, size) != nil {
		r.take(tenant, -size)
		return nil, false
	}
	return func() {
		r.all.Release(size)
		r.take(tenant, -size)
	}, true
}

func (r *room) take(tenant identity.TenantID, size int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.of[tenant] + size
	if all > maxFiles/2 {
		return false
	}
	if r.of[tenant] = all; all == 0 {
		delete(r.of, tenant)
	}
	return true
}

// takeRoom has a file be read only where there is room for it, for it is kept
// until it is stored. Nobody waits longer than for a MiB: that a client has left
// is seen by reading.
func (a *API) takeRoom(op huma.Operation) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		size := r.ContentLength
		if size < 0 || size > op.MaxBodyBytes {
			size = op.MaxBodyBytes
		}
		if size > smallBody {
			wait, cancel := context.WithTimeout(r.Context(), patience)
			defer cancel()
			who := Caller(ctx.Context())
			leave, ok := a.room.enter(wait, who.Tenant, size)
			if !ok {
				a.refuse(w, r, who, &fault.Error{Kind: fault.Unavailable, Code: "busy", Message: "too many files come at once; try again in a moment", RetryAfter: patience})
				return
			}
			defer leave()
		}
		next(ctx)
	}
}

const tooSlow = "the body came too slowly"

// readBody returns what the client sends, in time, and leaves it to be read again.
func readBody(w http.ResponseWriter, r *http.Request, op huma.Operation) ([]byte, error) {
	in := http.NewResponseController(w)
	_ = in.SetReadDeadline(time.Now().Add(op.BodyReadTimeout)) // a test's recorder has none
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, op.MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, newProblem(http.StatusRequestEntityTooLarge, "request_entity_too_large", fmt.Sprintf("the body is larger than %d MiB", op.MaxBodyBytes>>20))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, newProblem(http.StatusRequestTimeout, "request_timeout", tooSlow)
	case err != nil:
		return nil, newProblem(http.StatusBadRequest, "bad_request", "the body could not be read")
	}
	_ = in.SetReadDeadline(time.Time{}) // or it would end the request while that is worked on
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}
