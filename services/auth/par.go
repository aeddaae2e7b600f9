package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ory/fosite"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/login"
)

const (
	requestURI  = "urn:ietf:params:oauth:request_uri:"
	requestLife = 10 * time.Minute // a person may take that long to log in
)

func isPushed(uri string) bool { return strings.HasPrefix(uri, requestURI) }

// push is the pushed authorization request endpoint (RFC 9126): what the client
// would send through the browser it sends here, where nobody sees or changes
// it. It is judged at once, and is good until it is answered.
func (s *server) push(w http.ResponseWriter, r *http.Request) {
	ctx, c, err := s.clientOf(w, r)
	if err == nil {
		err = s.judgePushed(c, r.PostForm)
	}
	uri := requestURI + opaque()
	if err == nil {
		err = s.keepPushed(ctx, c, uri, r.PostForm)
	}
	if err != nil {
		writeError(w, r, err)
		return
	}
	noStore(w)
	writeJSON(w, http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": int(requestLife.Seconds())})
}

func (s *server) judgePushed(c *client, form url.Values) error {
	switch {
	case form.Has("request_uri"):
		return fosite.ErrInvalidRequest.WithHint("A request_uri is not pushed.")
	case !utf8.ValidString(form.Get("state")): // which JSON would change
		return fosite.ErrInvalidRequest.WithHint("A state that is pushed is UTF-8.")
	case len(form["redirect_uri"]) != 1 || !c.Redirect(form.Get("redirect_uri")):
		return fosite.ErrInvalidRequest.WithHint("The redirect_uri is not registered for this client.")
	}
	return (&authorization{server: s, client: c, params: form}).problem()
}

// keepPushed stores the request without what proved the client.
func (s *server) keepPushed(ctx context.Context, c *client, uri string, form url.Values) error {
	params := maps.Clone(form)
	for _, secret := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		params.Del(secret)
	}
	params.Set("client_id", c.ID)
	body, err := json.Marshal(params)
	if err != nil {
		return err
	}
	return s.store.AddRequest(ctx, c.Tenant, login.PushedRequest{Hash: digest(uri), ClientID: c.ID, Request: body, ExpiresAt: time.Now().Add(requestLife)})
}

// pushedRequest returns the parameters that the client has pushed.
func (s *server) pushedRequest(ctx context.Context, c login.Client, uri string) (url.Values, error) {
	p, err := s.store.Request(ctx, c.Tenant, digest(uri))
	if err != nil {
		return nil, err
	}
	if p.ClientID != c.ID {
		return nil, fault.New(fault.NotFound, "not_found", "another client's request")
	}
	var params url.Values
	err = json.Unmarshal(p.Request, &params)
	return params, err
}
