package restclient

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"bailiwick.dev/domain/access"
	"bailiwick.dev/domain/identity"
)

// silence is how long a stream of changes may be without a sign of life before
// it is given up: three times as long as the authorization service lets pass.
const silence = 15 * time.Second

// Renew asks, once, which of these policies are in force. Who asks knows best
// when to ask again.
func (c *Client) Renew(ctx context.Context, held []access.TenantVersion) (r access.Renewal, err error) {
	body, err := json.Marshal(struct {
		Held []access.TenantVersion `json:"held"`
	}{held})
	if err != nil {
		return r, err
	}
	resp, err := c.once(ctx, c.http, identity.Platform, http.MethodPost, c.cfg.AuthzURL+policiesPath, nil, body)
	c.again(identity.Platform, resp, err) // for the token that it forgets if it was refused
	if err != nil {
		return r, err
	}
	return r, read(resp, &r)
}

// Changes calls opened once the authorization service tells of changes, and
// changed for each. It returns when the service ends the stream, is silent for
// too long, or ctx ends.
func (c *Client) Changes(ctx context.Context, opened func(), changed func(tenant uuid.UUID, version int64)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(silence, cancel)
	defer watch.Stop()
	header := http.Header{"Accept-Encoding": {"identity"}} // what is compressed is held back
	resp, err := c.once(ctx, c.streams, identity.Platform, http.MethodGet, c.cfg.AuthzURL+changesPath, header, nil)
	c.again(identity.Platform, resp, err)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return read(resp, nil)
	}
	opened()
	for lines := bufio.NewScanner(resp.Body); ; {
		if !lines.Scan() {
			return unavailable(errors.Join(lines.Err(), errEnded))
		}
		watch.Reset(silence)
		var v access.TenantVersion
		if len(lines.Bytes()) == 0 { // a sign of life
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			return unavailable(err)
		}
		changed(v.Tenant, v.Version)
	}
}

var errEnded = errors.New("the stream of changes has ended")
