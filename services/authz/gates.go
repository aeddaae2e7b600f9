package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// registerGates adds what the gates of our services ask: for the policies of
// all their tenants at once, and to be told of changes.
func (a *api) registerGates(r *rest.API) {
	rest.Register(r, rest.Operation{ID: "platform-policies", Method: http.MethodPost, Path: "/v1/platform/policies", Internal: true}, a.renew)
	rest.Stream(r, rest.Operation{
		ID: "platform-changes", Method: http.MethodGet, Path: "/v1/platform/changes", Internal: true, Produces: []string{"application/x-ndjson"},
	}, a.stream)
}

type renewInput struct {
	Body struct {
		Held []access.TenantVersion `json:"held" maxItems:"10000" nullable:"false"`
	}
}

type renewOutput struct{ Body access.Renewal }

func (a *api) renew(ctx context.Context, who identity.Caller, in *renewInput) (*renewOutput, error) {
	r, err := a.access.Renew(ctx, who, in.Body.Held)
	return &renewOutput{r}, err
}

const (
	heartbeat = 5 * time.Second // so that both sides notice when the other is gone
	// streamLives is how long a stream lasts: then the gate proves itself anew,
	// and may come to another replica.
	streamLives = 5 * time.Minute
)

// stream tells of each change by a line of JSON, and by an empty line that
// there was none for a while.
func (a *api) stream(w http.ResponseWriter, r *http.Request, who identity.Caller, _ *struct{}) error {
	if who.Tenant != identity.Platform {
		return access.ErrForbidden()
	}
	heard, leave := a.changes.join()
	defer leave()
	ends, beat := time.NewTimer(streamLives), time.NewTicker(heartbeat)
	defer ends.Stop()
	defer beat.Stop()
	rest.AsStored(w.Header()) // what is compressed is held back
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := http.NewResponseController(w)
	line := []byte("\n")
	for {
		if _, err := w.Write(line); err != nil {
			return nil // the gate is gone
		}
		if err := out.Flush(); err != nil {
			return nil
		}
		select {
		case v, ok := <-heard:
			if !ok {
				return nil // this process ends
			}
			encoded, err := json.Marshal(v)
			if err != nil {
				return err
			}
			line = append(encoded, '\n')
		case <-beat.C:
			line = []byte("\n")
		case <-ends.C:
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
}
