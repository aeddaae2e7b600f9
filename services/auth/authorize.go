package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	"github.com/ory/fosite"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/login"
)

// authorize is the authorization endpoint (RFC 6749, section 3.1).
func (s *server) authorize(w http.ResponseWriter, r *http.Request) {
	params := r.URL.Query()
	if r.Method == http.MethodPost { // OpenID Connect Core, section 3.1.2.1
		if err := parseForm(w, r); err != nil {
			s.refuse(w, http.StatusBadRequest, "The form cannot be read.")
			return
		}
		if s.comeAgain(w, r) {
			return
		}
		params = r.PostForm
	}
	a, ok := s.check(w, r, params)
	if !ok {
		return
	}
	sess, err := s.currentSession(r, a.client.Tenant)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	switch {
	case !a.needsLogin(sess):
		a.proceed(w, r, sess)
	case a.prompts("none"):
		a.fail(w, r, fosite.ErrLoginRequired)
	default:
		s.showLogin(w, r, a, loginPage{Email: a.params.Get("login_hint")}, http.StatusOK)
	}
}

// authorization is a request whose client and redirect URI are good: from here
// errors go to the client.
type authorization struct {
	*server
	client *client
	params url.Values
	pushed string // the request_uri, if the client has pushed the request
}

// request is what a page's form carries so that the authorization goes on: a
// pushed request stays where no person can change it.
func (a *authorization) request() string {
	if a.pushed != "" {
		return url.Values{"client_id": {a.client.ID}, "request_uri": {a.pushed}}.Encode()
	}
	return a.params.Encode()
}

// prompts reports whether the client asks for this prompt.
func (a *authorization) prompts(prompt string) bool {
	return slices.Contains(strings.Fields(a.params.Get("prompt")), prompt)
}

// check answers itself, with a page, what must not be redirected, and redirects
// what the client must mend. Everything is judged before a person is asked to log in.
func (s *server) check(w http.ResponseWriter, r *http.Request, params url.Values) (*authorization, bool) {
	if len(params["client_id"]) != 1 {
		s.refuse(w, http.StatusBadRequest, "The application's request names no client_id, or several.")
		return nil, false
	}
	c, err := s.findClient(r.Context(), params.Get("client_id"))
	if fault.Is(err, fault.NotFound) || err == nil && c.Tenant == uuid.Nil {
		s.refuse(w, http.StatusBadRequest, "There is no such application. It may have been removed: ask whoever runs it.")
		return nil, false
	}
	if err != nil {
		s.broken(w, r, err)
		return nil, false
	}
	pushed := ""
	if isPushed(params.Get("request_uri")) {
		pushed = params.Get("request_uri")
		params, err = s.pushedRequest(r.Context(), c, pushed)
		if fault.Is(err, fault.NotFound) {
			s.refuse(w, http.StatusBadRequest, "The application's request has expired. Go back to the application and begin again.")
			return nil, false
		}
		if err != nil {
			s.broken(w, r, err)
			return nil, false
		}
	}
	if len(params["redirect_uri"]) != 1 || !c.Redirect(params.Get("redirect_uri")) {
		s.refuse(w, http.StatusBadRequest, "The application asks to be answered at an address that is not registered for it.")
		return nil, false
	}
	a := &authorization{s, &client{c, params.Get("redirect_uri")}, params, pushed}
	if err := a.problem(); err != nil {
		a.fail(w, r, err)
		return nil, false
	}
	return a, true
}

func (a *authorization) problem() error {
	p := a.params
	for name, values := range p {
		if len(values) > 1 && name != "resource" {
			return fosite.ErrInvalidRequest.WithHint("A parameter is there more than once.")
		}
	}
	switch {
	case p.Has("request"):
		return fosite.ErrRequestNotSupported
	case p.Has("request_uri"):
		return fosite.ErrRequestURINotSupported
	case p.Has("registration"):
		return fosite.ErrRegistrationNotSupported
	case p.Get("response_type") == "":
		return fosite.ErrInvalidRequest.WithHint("The response_type is missing.")
	case p.Get("response_type") != "code":
		return fosite.ErrUnsupportedResponseType
	case !a.client.Has(login.AuthorizationCode):
		return fosite.ErrUnauthorizedClient
	case p.Has("response_mode") && p.Get("response_mode") != "query":
		return fosite.ErrInvalidRequest.WithHint("The response_mode is query.")
	case !s256.MatchString(p.Get("code_challenge")) || p.Get("code_challenge_method") != "S256":
		return fosite.ErrInvalidRequest.WithHint("PKCE with code_challenge_method=S256 is needed (RFC 7636).")
	case !goodPrompt(strings.Fields(p.Get("prompt"))):
		return fosite.ErrInvalidRequest.WithHint("The prompts are none, which goes alone, login, consent and select_account.")
	case p.Has("max_age") && !isCount(p.Get("max_age")):
		return fosite.ErrInvalidRequest.WithHint("max_age is a number of seconds.")
	}
	if scopes := a.scopes(); len(scopes) == 0 || len(a.client.still(scopes)) < len(scopes) { // a person is asked for something
		return fosite.ErrInvalidScope
	}
	if _, err := a.hint(); err != nil {
		return err
	}
	_, err := a.targetOf(a.client, p)
	return err
}

var s256 = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`) // a SHA-256 (RFC 7636, section 4.2)

func goodPrompt(prompts []string) bool {
	for _, p := range prompts {
		if !slices.Contains(supportedPrompts, p) || p == "none" && len(prompts) > 1 {
			return false
		}
	}
	return true
}

var supportedPrompts = []string{"none", "login", "consent", "select_account"}

func isCount(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// needsLogin reports whether the browser's session is not enough.
func (a *authorization) needsLogin(sess *login.Session) bool {
	return sess == nil || a.prompts("login") || a.prompts("select_account") || !a.isHinted(sess) || a.tooOld(sess)
}

// tooOld reports whether the person logged in longer ago than max_age allows.
func (a *authorization) tooOld(sess *login.Session) bool {
	most := a.params.Get("max_age")
	age, _ := strconv.ParseFloat(most, 64) // digits, and if they are too many, infinity
	return most != "" && time.Since(sess.AuthenticatedAt).Seconds() > age
}

// proof shows that a session was found to be enough for this very request, which
// may ask for a login: else the form of a page of consent that was never shown would
// do, with a session from before.
func (a *authorization) proof(sess *login.Session) string {
	h := hmac.New(sha256.New, a.forms)
	h.Write(sess.ID[:])
	h.Write([]byte(a.request()))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// isProved reports whether the form holds the proof. Who has just logged in may
// take time to read.
func (a *authorization) isProved(r *http.Request, sess *login.Session) bool {
	return time.Since(sess.AuthenticatedAt) <= requestLife && hmac.Equal([]byte(a.proof(sess)), []byte(r.PostForm.Get("proof")))
}

// isHinted reports whether the person is the one whom the id_token_hint names.
// Another client's hint says nothing.
func (a *authorization) isHinted(sess *login.Session) bool {
	hint, err := a.hint()
	return err == nil && (!hint.Audience.Contains(a.client.ID) || hint.Subject == sess.UserID.String())
}

// hint reads the id_token_hint, if there is one: an ID token of ours. It may have
// expired. One whose key is kept no longer is taken at its word: a hint lets nobody
// in, it can only keep out who is not meant.
func (a *authorization) hint() (c jwt.Claims, err error) {
	raw := a.params.Get("id_token_hint")
	if raw == "" {
		return c, nil
	}
	if c, _, err = a.readHint(raw); err != nil {
		err = fosite.ErrInvalidRequest.WithHint("The id_token_hint is no ID token of ours.")
	}
	return c, err
}

var errNoHint = errors.New("no ID token of ours")

// readHint reads an ID token of ours, and whether it proves anything: one whose key
// is kept no longer does not.
func (s *server) readHint(token string) (c jwt.Claims, proves bool, err error) {
	typ, err := s.keys.verify(token, &c)
	proves = err == nil
	if errors.Is(err, errNoKey) {
		typ, err = "JWT", unverified(token, &c)
	}
	if err == nil && (typ != "JWT" || c.Issuer != s.cfg.Issuer) {
		err = errNoHint
	}
	return c, proves, err
}

// finish gives the client its code.
func (a *authorization) finish(w http.ResponseWriter, r *http.Request, sess *login.Session) {
	if !a.isHinted(sess) { // somebody else has logged in
		a.fail(w, r, fosite.ErrLoginRequired)
		return
	}
	x := &clientRequest{client: a.client}
	if a.pushed != "" {
		x.pushed = digest(a.pushed)
	}
	ctx := withClientRequest(r.Context(), x)
	params := url.Values{}
	for k, v := range a.params {
		params[k] = v
	}
	params.Set("state", "ours") // redirect gives the client its own back; fosite has rules for how long it is
	params.Del("prompt")        // judged above, and so not again by fosite
	params.Del("id_token_hint") // and so is this
	params.Del("max_age")       // and this: fosite would count the time that consent takes
	params.Del("audience")      // fosite's own; ours is the resource of RFC 8707
	in, err := http.NewRequestWithContext(ctx, http.MethodGet, a.cfg.Issuer+"/authorize?"+params.Encode(), nil)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	req, err := a.provider.NewAuthorizeRequest(ctx, in)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	for _, scope := range req.GetRequestedScopes() {
		req.GrantScope(scope)
	}
	to, err := a.targetOf(a.client, a.params)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	person, err := a.store.Credential(ctx, to.tenant, sess.UserID)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	req.SetID(uuid.Must(uuid.NewV7()).String()) // becomes the family's: when it began tells which revocations concern it
	s := &session{Tenant: to.tenant, Login: sess.ID, Audience: to.audience}
	s.Subject = sess.UserID.String()
	s.IDTokenClaims().Subject, s.IDTokenClaims().AuthTime = s.Subject, sess.AuthenticatedAt.UTC()
	s.IDTokenClaims().JTI = req.GetID() // by which a logout finds the session
	s.IDTokenClaims().Extra = claimsOf(person, func(scope string) bool { return req.GetGrantedScopes().Has(scope) })
	resp, err := a.provider.NewAuthorizeResponse(ctx, req, s)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.redirect(w, r, url.Values{"code": {resp.GetCode()}})
}

// fail sends an error to the client (RFC 6749, section 4.1.2.1).
func (a *authorization) fail(w http.ResponseWriter, r *http.Request, err error) {
	rfc := fosite.ErrorToRFC6749Error(err)
	switch {
	case fault.Is(err, fault.NotFound): // the session ended in this moment
		rfc = fosite.ErrLoginRequired
	case fault.Is(err, fault.Unavailable) || rfc.ErrorField == "error" || rfc.CodeField >= http.StatusInternalServerError:
		rfc = fosite.ErrServerError
		if rest.ProblemOf(r.Context(), err).Status == http.StatusServiceUnavailable { // logged by this
			rfc = fosite.ErrTemporarilyUnavailable
		}
	}
	a.redirect(w, r, url.Values{"error": {rfc.ErrorField}, "error_description": {describe(rfc)}})
}

// redirect answers the client, with its state as it came and the issuer (RFC 9207).
func (a *authorization) redirect(w http.ResponseWriter, r *http.Request, answer url.Values) {
	answer.Set("iss", a.cfg.Issuer)
	if a.params.Has("state") {
		answer.Set("state", a.params.Get("state"))
	}
	noStore(w)
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, with(a.client.redirect, answer), http.StatusSeeOther)
}

// with appends to an address, which stays as the client has registered it.
func with(address string, answer url.Values) string {
	if strings.Contains(address, "?") {
		return address + "&" + answer.Encode()
	}
	return address + "?" + answer.Encode()
}
