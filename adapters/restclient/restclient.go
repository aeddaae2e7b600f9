// Package restclient puts our own services behind the ports of this hexagon:
// each call bears a token of the calling service for one tenant, and a problem
// (RFC 9457) comes back as the fault that it was on the other side.
package restclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"bailiwick.dev/adapters/config"
	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
)

const (
	timeout  = 10 * time.Second
	attempts = 3
	backoff  = 50 * time.Millisecond // before the second attempt, four times as long each time
	tenants  = 10_000                // whose tokens are kept
	maxBody  = 64 << 20
	// scopes are what a token of ours may be used for: the operations of our
	// services among themselves, and reading tasks for a report.
	scopes = "platform tasks"
)

// Client calls our own services.
type Client struct {
	cfg    config.Platform
	http   *http.Client
	tokens *lru.Cache[uuid.UUID, oauth2.TokenSource]
}

// New returns a client that proves itself as cfg.ClientID.
func New(cfg config.Platform) *Client {
	tokens, err := lru.New[uuid.UUID, oauth2.TokenSource](tenants)
	if err != nil {
		panic(err) // only for a size below one
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 32
	return &Client{cfg: cfg, tokens: tokens, http: &http.Client{Transport: otelhttp.NewTransport(t), Timeout: timeout}}
}

// Do sends in as JSON, if it is not nil, and reads the answer into out, if
// that is not nil. It tries again what may succeed later; every operation
// between our services can be repeated. It returns the other side's fault, or
// fault.Unavailable when there was no answer.
func (c *Client) Do(ctx context.Context, tenant uuid.UUID, method, url string, in, out any) error {
	resp, err := c.send(ctx, tenant, method, url, nil, in)
	if err != nil {
		return err
	}
	return read(resp, out)
}

func (c *Client) send(ctx context.Context, tenant uuid.UUID, method, url string, header http.Header, in any) (*http.Response, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	wait := backoff
	for attempt := 1; ; attempt++ {
		resp, err := c.once(ctx, tenant, method, url, header, body)
		if attempt == attempts || !c.again(tenant, resp, err) {
			return resp, err
		}
		if resp != nil {
			_ = resp.Body.Close()
		}
		select {
		case <-ctx.Done():
			return nil, unavailable(ctx.Err())
		case <-time.After(wait):
		}
		wait *= 4
	}
}

func (c *Client) once(ctx context.Context, tenant uuid.UUID, method, url string, header http.Header, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	token, err := c.token(tenant)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	token.SetAuthHeader(req)
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if id := rest.RequestID(ctx); id != "" {
		req.Header.Set("X-Request-Id", id)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unavailable(err)
	}
	return resp, nil
}

// again also forgets a token that is refused, such as one whose signing key is
// no longer known.
func (c *Client) again(tenant uuid.UUID, resp *http.Response, err error) bool {
	if err != nil {
		return fault.Is(err, fault.Unavailable)
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		c.tokens.Remove(tenant)
		return true
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func (c *Client) token(tenant uuid.UUID) (*oauth2.Token, error) {
	source, ok := c.tokens.Get(tenant)
	if !ok {
		cfg := clientcredentials.Config{
			ClientID: c.cfg.ClientID, ClientSecret: c.cfg.ClientSecret, TokenURL: c.cfg.AuthURL + "/auth/token", AuthStyle: oauth2.AuthStyleInHeader,
			EndpointParams: url.Values{"resource": {"urn:bailiwick:tenant:" + tenant.String()}, "scope": {scopes}},
		}
		// The source outlives the request that first needs it.
		source = cfg.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, c.http))
		c.tokens.Add(tenant, source)
	}
	token, err := source.Token()
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response.StatusCode < http.StatusInternalServerError {
		return nil, fmt.Errorf("the auth service gives us no token: %w", err)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return token, nil
}

func read(resp *http.Response, out any) error {
	defer resp.Body.Close()
	body := io.LimitReader(resp.Body, maxBody)
	if resp.StatusCode >= http.StatusMultipleChoices {
		return faultOf(resp, body)
	}
	if out == nil {
		_, _ = io.Copy(io.Discard, body) // so that the connection can be used again
		return nil
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return unavailable(err)
	}
	return nil
}

func faultOf(resp *http.Response, body io.Reader) error {
	var p rest.Problem
	if err := json.NewDecoder(body).Decode(&p); err != nil {
		p.Title = resp.Status // a proxy answered
	}
	f := fault.New(rest.KindOf(resp.StatusCode), rest.CodeOf(p), p.Detail)
	if f.Kind == fault.Unauthenticated {
		return fmt.Errorf("our own token is refused: %s", p.Detail)
	}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		f.RetryAfter = time.Duration(seconds) * time.Second
	}
	for _, e := range p.Errors {
		f.Fields = append(f.Fields, fault.Field{Pointer: e.Pointer, Code: e.Code, Message: e.Detail})
	}
	return f
}

func unavailable(err error) error {
	return fault.Wrap(fault.Unavailable, "service_unavailable", "a part of the platform does not answer", err)
}
