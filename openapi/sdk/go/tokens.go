package bailiwick

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// tokenTimeout bounds all attempts to get one token: ctx of ClientCredentials
// may never end.
const tokenTimeout = 30 * time.Second

// ClientCredentials returns the tokens of a machine client of the issuer at
// baseURL (RFC 6749, section 4.4). They are asked for with the http.Client
// that ctx names by oauth2.HTTPClient, or with one that tries again and does
// not wait for ever. A token that is refused is an *oauth2.RetrieveError with
// the OAuth code; what else the platform tells of is a *Problem.
func ClientCredentials(ctx context.Context, baseURL, clientID, clientSecret string, scopes ...string) oauth2.TokenSource {
	c := &clientcredentials.Config{
		ClientID: clientID, ClientSecret: clientSecret, Scopes: scopes,
		TokenURL: strings.TrimRight(baseURL, "/") + "/auth/token", AuthStyle: oauth2.AuthStyleInHeader,
	}
	if ctx.Value(oauth2.HTTPClient) == nil {
		ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: &Transport{}, Timeout: tokenTimeout})
	}
	return &tokens{ask: func() (*oauth2.Token, error) {
		token, err := c.Token(ctx)
		var refused *oauth2.RetrieveError
		if errors.As(err, &refused) && refused.ErrorCode == "" {
			return nil, Check(refused.Response, refused.Body, http.StatusOK)
		}
		return token, err
	}}
}

// tokens keeps a token until shortly before it expires, and asks for one at a
// time, however many wait for it.
type tokens struct {
	ask  func() (*oauth2.Token, error)
	mu   sync.Mutex
	last *answer
}

// answer is of one question for a token: known when done is closed.
type answer struct {
	done  chan struct{}
	token *oauth2.Token
	err   error
}

// Token implements oauth2.TokenSource.
func (t *tokens) Token() (*oauth2.Token, error) {
	return t.get(context.Background(), "")
}

// get returns a token, but not the one that was refused if there is another.
// It waits no longer than ctx.
func (t *tokens) get(ctx context.Context, refused string) (*oauth2.Token, error) {
	t.mu.Lock()
	if t.last == nil || t.last.useless(refused) {
		a := &answer{done: make(chan struct{})}
		t.last = a
		go func() {
			defer close(a.done)
			a.token, a.err = t.ask()
		}()
	}
	a := t.last
	t.mu.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-a.done:
		return a.token, a.err
	}
}

func (a *answer) useless(refused string) bool {
	select {
	case <-a.done:
		return !a.token.Valid() || a.token.AccessToken == refused
	default:
		return false
	}
}

// bearer sends each request with a token, and once more with another when the
// platform no longer takes the first: it was revoked, say. Client leaves the
// token out where a redirect leads to another host.
type bearer struct {
	*http.Client
	tokens *tokens
}

// Do implements HttpRequestDoer.
func (b *bearer) Do(req *http.Request) (*http.Response, error) {
	token, err := b.tokens.get(req.Context(), "")
	if err != nil {
		return nil, err
	}
	setKey(req) // of both attempts
	token.SetAuthHeader(req)
	resp, err := b.Client.Do(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	if other, err := b.tokens.get(req.Context(), token.AccessToken); err == nil && other.AccessToken != token.AccessToken && rewind(req) {
		discard(resp)
		other.SetAuthHeader(req)
		return b.Client.Do(req)
	}
	return resp, nil
}
