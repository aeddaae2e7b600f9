package main

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"

	"bailiwick.dev/adapters/rest"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
)

// client is a login.Client as fosite wants it.
type client struct {
	login.Client
	redirect string // the one asked for, which was compared by login.Client.Redirect
}

func (c *client) GetID() string                      { return c.ID }
func (c *client) GetHashedSecret() []byte            { return nil } // authenticateClient compares
func (c *client) GetRedirectURIs() []string          { return []string{c.redirect} }
func (c *client) GetGrantTypes() fosite.Arguments    { return c.GrantTypes }
func (c *client) GetResponseTypes() fosite.Arguments { return fosite.Arguments{"code"} }
func (c *client) GetScopes() fosite.Arguments        { return c.Scopes }
func (c *client) IsPublic() bool                     { return c.Type == login.Public }
func (c *client) GetAudience() fosite.Arguments      { return nil }

// still returns what a grant has of the scopes that the client has now.
func (c *client) still(granted []string) (scopes []string) {
	for _, s := range granted {
		if slices.Contains(c.Scopes, s) {
			scopes = append(scopes, s)
		}
	}
	return scopes
}

// GetResponseModes lets a request name the mode that it would get anyway.
func (c *client) GetResponseModes() []fosite.ResponseModeType {
	return []fosite.ResponseModeType{fosite.ResponseModeQuery}
}

// clientRequest is what one request to an endpoint knows of its client; it travels
// in the context through fosite, which has no place for it.
type clientRequest struct {
	client  *client
	asked   []string        // the audience that this request asks for, of those of its grant
	pushed  []byte          // the hash of the pushed request that is answered
	code    *fosite.Request // that is exchanged, once it was read
	ended   bool            // it was used before
	refresh []byte          // the hash of the refresh token that was made
	refused error           // why the store did not do it
	network string          // from where it is asked for
}

// event is what the client did.
func (x *clientRequest) event(ctx context.Context, action string) login.Event {
	e := login.EventOf(identity.Caller{Client: x.client.ID, Request: identity.Request{ID: rest.RequestID(ctx)}}, action, "client:"+x.client.ID)
	e.Network = x.network
	return e
}

type clientRequestKey struct{}

func withClientRequest(ctx context.Context, x *clientRequest) context.Context {
	return context.WithValue(ctx, clientRequestKey{}, x)
}

func clientRequestOf(ctx context.Context) *clientRequest {
	x, ok := ctx.Value(clientRequestKey{}).(*clientRequest)
	if !ok {
		return &clientRequest{}
	}
	return x
}

// storage implements fosite's stores on authdb. Codes, families and refresh
// tokens are reached within the wall of the tenant of the client that asks.
type storage struct{ *server }

var (
	_ fosite.Storage                     = (*storage)(nil)
	_ oauth2.CoreStorage                 = (*storage)(nil)
	_ oauth2.TokenRevocationStorage      = (*storage)(nil)
	_ openid.OpenIDConnectRequestStorage = (*storage)(nil)
	_ pkce.PKCERequestStorage            = (*storage)(nil)
)

// request is what a code remembers of its authorization.
type request struct {
	ID          string
	RequestedAt time.Time
	Scopes      []string
	Form        url.Values
	Session     *session
}

// GetClient implements fosite.ClientManager.
func (s *storage) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	if x := clientRequestOf(ctx); x.client != nil && x.client.ID == id {
		return x.client, nil
	}
	return nil, fosite.ErrNotFound
}

// ClientAssertionJWTValid implements fosite.ClientManager; authenticateClient
// judges assertions, and fosite has none to judge.
func (s *storage) ClientAssertionJWTValid(context.Context, string) error { return fosite.ErrJTIKnown }

// SetClientAssertionJWT implements fosite.ClientManager.
func (s *storage) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return fosite.ErrJTIKnown
}

// CreateAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage. What PKCE
// and OpenID Connect remember is in the same row.
func (s *storage) CreateAuthorizeCodeSession(ctx context.Context, signature string, r fosite.Requester) error {
	sess := r.GetSession().(*session)
	user, err := uuid.Parse(sess.Subject)
	if err != nil {
		return err
	}
	family, err := uuid.Parse(r.GetID())
	if err != nil {
		return err
	}
	body, err := json.Marshal(request{r.GetID(), r.GetRequestedAt(), r.GetGrantedScopes(), r.GetRequestForm(), sess})
	if err != nil {
		return err
	}
	return s.store.AddCode(ctx, sess.Tenant, login.Code{
		Pushed: clientRequestOf(ctx).pushed, Hash: []byte(signature), ClientID: r.GetClient().GetID(), UserID: user, FamilyID: family, SessionID: sess.Login, Request: body, ExpiresAt: time.Now().Add(codeLife),
	})
}

// GetAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage. A code that
// is another client's is unknown: nobody ends what is not theirs. fosite asks
// several times, the database is asked once.
func (s *storage) GetAuthorizeCodeSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	x := clientRequestOf(ctx)
	if x.code == nil {
		if err := s.readCode(ctx, x, signature); err != nil {
			return nil, err
		}
	}
	if x.ended {
		return x.code, fosite.ErrInvalidatedAuthorizeCode
	}
	return x.code, nil
}

func (s *storage) readCode(ctx context.Context, x *clientRequest, signature string) error {
	c := x.client
	code, err := s.store.Code(ctx, c.Tenant, []byte(signature))
	if fault.Is(err, fault.NotFound) || err == nil && code.ClientID != c.ID {
		return fosite.ErrNotFound
	}
	if err != nil {
		return err
	}
	var r request
	if err := json.Unmarshal(code.Request, &r); err != nil {
		return err
	}
	x.code, x.ended = &fosite.Request{ID: r.ID, RequestedAt: r.RequestedAt, Client: c, RequestedScope: r.Scopes, GrantedScope: c.still(r.Scopes), Form: r.Form, Session: r.Session}, code.Used
	return nil
}

// InvalidateAuthorizeCodeSession implements oauth2.AuthorizeCodeStorage: in one
// change the code ends and its family begins, with the refresh token that was
// made. Of two exchanges at once one does that, and the other ends what it gave.
func (s *storage) InvalidateAuthorizeCodeSession(ctx context.Context, signature string) error {
	x, now := clientRequestOf(ctx), time.Now()
	offline := x.code.GrantedScope.Has("offline_access") && !x.client.FirstParty // to which nobody was asked to consent, and from whom nobody could take it back
	done, err := s.store.Exchange(ctx, x.client.Tenant, login.Exchange{
		Code: []byte(signature), ClientID: x.client.ID, Scopes: x.code.GrantedScope, Audience: x.code.Session.(*session).Audience,
		FamilyExpires: now.Add(familyLife), Offline: offline, Refresh: x.refresh, RefreshExpires: now.Add(refreshLife), Replayed: x.event(ctx, login.CodeReplayed),
	})
	if err == nil && !done {
		x.refused = fosite.ErrInvalidGrant
		return x.refused
	}
	return err
}

// CreateAccessTokenSession implements oauth2.AccessTokenStorage: an access
// token is its own proof, and nothing is written for it.
func (s *storage) CreateAccessTokenSession(context.Context, string, fosite.Requester) error {
	return nil
}

// GetAccessTokenSession implements oauth2.AccessTokenStorage.
func (s *storage) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteAccessTokenSession implements oauth2.AccessTokenStorage.
func (s *storage) DeleteAccessTokenSession(context.Context, string) error { return nil }

// CreateRefreshTokenSession implements oauth2.RefreshTokenStorage; the code's
// end has stored it.
func (s *storage) CreateRefreshTokenSession(context.Context, string, string, fosite.Requester) error {
	return nil
}

// GetRefreshTokenSession implements oauth2.RefreshTokenStorage; refreshHandler
// does what it is for.
func (s *storage) GetRefreshTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteRefreshTokenSession implements oauth2.RefreshTokenStorage.
func (s *storage) DeleteRefreshTokenSession(context.Context, string) error { return nil }

// RotateRefreshToken implements oauth2.RefreshTokenStorage.
func (s *storage) RotateRefreshToken(context.Context, string, string) error { return nil }

// RevokeRefreshToken implements oauth2.TokenRevocationStorage: the request's id
// is the family's. fosite calls it for a code that comes again.
func (s *storage) RevokeRefreshToken(ctx context.Context, id string) error {
	family, err := uuid.Parse(id)
	if err != nil {
		return err
	}
	x := clientRequestOf(ctx)
	return s.store.RevokeFamily(ctx, x.client.Tenant, family, x.event(ctx, login.CodeReplayed))
}

// RevokeAccessToken implements oauth2.TokenRevocationStorage; the family's end is also its.
func (s *storage) RevokeAccessToken(ctx context.Context, id string) error {
	return s.RevokeRefreshToken(ctx, id)
}

// GetPKCERequestSession implements pkce.PKCERequestStorage.
func (s *storage) GetPKCERequestSession(ctx context.Context, signature string, sess fosite.Session) (fosite.Requester, error) {
	return s.GetAuthorizeCodeSession(ctx, signature, sess)
}

// CreatePKCERequestSession implements pkce.PKCERequestStorage.
func (s *storage) CreatePKCERequestSession(context.Context, string, fosite.Requester) error {
	return nil
}

// DeletePKCERequestSession implements pkce.PKCERequestStorage.
func (s *storage) DeletePKCERequestSession(context.Context, string) error { return nil }

// CreateOpenIDConnectSession implements openid.OpenIDConnectRequestStorage.
func (s *storage) CreateOpenIDConnectSession(context.Context, string, fosite.Requester) error {
	return nil
}

// GetOpenIDConnectSession implements openid.OpenIDConnectRequestStorage. It is
// asked for after the code's end, which the handler before has made sure of.
func (s *storage) GetOpenIDConnectSession(ctx context.Context, code string, _ fosite.Requester) (fosite.Requester, error) {
	r, err := s.GetAuthorizeCodeSession(ctx, string(digest(code)), nil)
	if r != nil && !r.GetGrantedScopes().Has("openid") {
		return nil, openid.ErrNoSessionFound
	}
	if r != nil {
		return r, nil
	}
	return nil, err
}

// DeleteOpenIDConnectSession implements openid.OpenIDConnectRequestStorage.
func (s *storage) DeleteOpenIDConnectSession(context.Context, string) error { return nil }
