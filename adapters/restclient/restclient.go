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
	"golang.org/x/sync/singleflight"

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
	cfg     config.Platform
	http    *http.Client
	streams *http.Client // for answers that do not end
	tokens  *lru.Cache[uuid.UUID, *oauth2.Token]
	asking  singleflight.Group // for tokens
}

// New returns a client that proves itself as cfg.ClientID.
func New(cfg config.Platform) *Client {
	tokens, err := lru.New[uuid.UUID, *oauth2.Token](tenants)
	if err != nil {
		panic(err) // only for a size below one
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 32
	transport := otelhttp.NewTransport(t)
	return &Client{cfg: cfg, tokens: tokens, http: &http.Client{Transport: transport, Timeout: timeout}, streams: &http.Client{Transport: transport}}
}

// Do sends in as JSON, if it is not nil, and reads the answer into out, if
// that is not nil. It tries again what may succeed later; every operation
// between our services can be repeated. It returns the other side's fault, or
// fault.Unavailable when there was no answer.
func (c *Client) Do(ctx context.Context, tenant uuid.UUID, method, url string, in, out any) error {
	resp, err := c.send(ctx, tenant, method, url, in)
	if err != nil {
		return err
	}
	return read(resp, out)
}

func (c *Client) send(ctx context.Context, tenant uuid.UUID, method, url string, in any) (*http.Response, error) {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	wait := backoff
	for attempt := 1; ; attempt++ {
		resp, err := c.once(ctx, c.http, tenant, method, url, nil, body)
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

func (c *Client) once(ctx context.Context, via *http.Client, tenant uuid.UUID, method, url string, header http.Header, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	token, err := c.token(ctx, tenant)
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
	resp, err := via.Do(req)
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

// token returns a token for the tenant. Whoever needs the same one shares the
// request for it, so that does not end with ctx; waiting for it does.
func (c *Client) token(ctx context.Context, tenant uuid.UUID) (*oauth2.Token, error) {
	if token, ok := c.tokens.Get(tenant); ok && token.Valid() {
		return token, nil
	}
	asked := c.asking.DoChan(string(tenant[:]), func() (any, error) {
		token, err := c.newToken(tenant)
		if err == nil {
			c.tokens.Add(tenant, token)
		}
		return token, err
	})
	select {
	case r := <-asked:
		return r.Val.(*oauth2.Token), r.Err
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
}

func (c *Client) newToken(tenant uuid.UUID) (*oauth2.Token, error) {
	cfg := clientcredentials.Config{
		ClientID: c.cfg.ClientID, ClientSecret: c.cfg.ClientSecret, TokenURL: c.cfg.AuthURL + "/auth/token", AuthStyle: oauth2.AuthStyleInHeader,
		EndpointParams: url.Values{"resource": {"urn:bailiwick:tenant:" + tenant.String()}, "scope": {scopes}},
	}
	token, err := cfg.Token(context.WithValue(context.Background(), oauth2.HTTPClient, c.http))
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
	body := &io.LimitedReader{R: resp.Body, N: maxBody}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return faultOf(resp, body)
	}
	if out == nil {
		_, _ = io.Copy(io.Discard, body) // so that the connection can be used again
		return nil
	}
	err := json.NewDecoder(body).Decode(out)
	switch {
	case err == nil:
		return nil
	case body.N == 0: // it will be no shorter next time
		return fault.Wrap(fault.Invalid, "answer_too_large", "a part of the platform answers with more than can be read at once", err)
	}
	return unavailable(err)
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
