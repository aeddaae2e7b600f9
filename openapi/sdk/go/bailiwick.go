package bailiwick

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// New returns a client of the platform at baseURL, such as
// "http://localhost:8080", whose requests bear the tokens of tokens. With nil
// tokens only public operations work.
func New(baseURL string, tokens oauth2.TokenSource) (*ClientWithResponses, error) {
	var rt http.RoundTripper = &Transport{}
	if tokens != nil {
		rt = &oauth2.Transport{Base: rt, Source: oauth2.ReuseTokenSource(nil, tokens)}
	}
	return NewClientWithResponses(baseURL, WithHTTPClient(&http.Client{Transport: rt}))
}

// ClientCredentials returns the tokens of a machine client of the issuer at
// baseURL (RFC 6749, section 4.4).
func ClientCredentials(ctx context.Context, baseURL, clientID, clientSecret string, scopes ...string) oauth2.TokenSource {
	c := clientcredentials.Config{ClientID: clientID, ClientSecret: clientSecret, TokenURL: baseURL + "/auth/token", Scopes: scopes}
	return c.TokenSource(ctx)
}

// Error implements error.
func (p *Problem) Error() string {
	return fmt.Sprintf("%d %s: %s", p.Status, p.Title, value(p.Detail))
}

// Check returns nil when an operation's response has the status want, else the
// *Problem that its body tells of (RFC 9457).
func Check(resp *http.Response, body []byte, want int) error {
	if resp.StatusCode == want {
		return nil
	}
	p := &Problem{Status: int64(resp.StatusCode), Title: http.StatusText(resp.StatusCode)}
	if err := json.Unmarshal(body, p); err != nil { // no problem document: a proxy answered
		p.Status, p.Title = int64(resp.StatusCode), http.StatusText(resp.StatusCode)
	}
	return p
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
