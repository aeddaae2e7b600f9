package bailiwick

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
)

// New returns a client of the platform at baseURL, such as
// "http://localhost:8080", whose requests bear the tokens of source. With nil
// only public operations work. A request waits for a token no longer than its
// own context.
func New(baseURL string, source oauth2.TokenSource) (*ClientWithResponses, error) {
	client := &http.Client{Transport: &Transport{}}
	if source == nil {
		return NewClientWithResponses(baseURL, WithHTTPClient(client))
	}
	kept, ok := source.(*tokens)
	if !ok {
		kept = &tokens{ask: source.Token}
	}
	return NewClientWithResponses(baseURL, WithHTTPClient(&bearer{client, kept}))
}

// Error implements error.
func (p *Problem) Error() string {
	text := fmt.Sprintf("%d %s", p.Status, p.Title)
	if p.Detail != nil {
		text += ": " + *p.Detail
	}
	return text
}

// Code is the stable end of the problem's type, such as "not_found".
func (p *Problem) Code() string {
	_, code, _ := strings.Cut(p.Type, "#")
	return code
}

// Check returns nil when an operation's response has the status want, else the
// *Problem that its body tells of (RFC 9457). A page is no answer of the
// platform's, whatever its status.
func Check(resp *http.Response, body []byte, want int) error {
	if resp.StatusCode == want {
		if kind := resp.Header.Get("Content-Type"); strings.HasPrefix(kind, "text/html") {
			return fmt.Errorf("%s with %s: somebody between here and the platform answered", resp.Status, kind)
		}
		return nil
	}
	p := &Problem{Status: int64(resp.StatusCode), Title: http.StatusText(resp.StatusCode)}
	if err := json.Unmarshal(body, p); err != nil { // no problem document: a proxy answered
		p.Status, p.Title = int64(resp.StatusCode), http.StatusText(resp.StatusCode)
	}
	return p
}
