package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
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
	maxPushed   = 8 << 10          // bytes of a request that is kept
)

// pushable are the parameters that mean something to us; others are ignored, and so not kept.
var pushable = []string{"response_type", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "response_mode", "prompt", "max_age", "login_hint", "id_token_hint", "resource"}

var (
	errPushedTooLarge = &fosite.RFC6749Error{ErrorField: "invalid_request", DescriptionField: "The request is too large.", CodeField: http.StatusRequestEntityTooLarge}
	errPushedTooMany  = &fosite.RFC6749Error{ErrorField: "temporarily_unavailable", DescriptionField: "Too many requests from this network wait to be answered.", CodeField: http.StatusTooManyRequests}
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
	if errors.Is(err, errPushedTooMany) {
		w.Header().Set("Retry-After", strconv.Itoa(int(requestLife.Seconds())))
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

// keepPushed stores the request without what proved the client. Of one that proves
// nothing anybody may push, and so they are counted.
func (s *server) keepPushed(ctx context.Context, c *client, uri string, form url.Values) error {
	params := url.Values{"client_id": {c.ID}}
	for _, name := range pushable {
		if form.Has(name) {
			params[name] = form[name]
		}
	}
	body, err := json.Marshal(params)
	if err != nil {
		return err
	}
	if len(body) > maxPushed {
		return errPushedTooLarge
	}
	p := login.PushedRequest{Hash: digest(uri), ClientID: c.ID, Request: body, ExpiresAt: time.Now().Add(requestLife)}
	if c.IsPublic() {
		p.Network = clientRequestOf(ctx).network
	}
	if err = s.store.AddRequest(ctx, c.Tenant, p); fault.Is(err, fault.Throttled) {
		err = errPushedTooMany
	}
	return err
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
