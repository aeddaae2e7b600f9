package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
)

// session is what fosite carries from the login to the tokens. It is kept as
// our own JSON; fosite's deep copies are not used.
type session struct {
	openid.DefaultSession
	Tenant   uuid.UUID `json:"tenant"`
	Login    uuid.UUID `json:"login"`              // the browser's session, with which a code ends
	Audience []string  `json:"audience,omitempty"` // of the grant; empty: every service
	Actor    *actor    `json:"-"`                  // who acts for the subject; nil: nobody
	NotAfter time.Time `json:"-"`                  // the token's life, if it is not the usual
}

// Clone implements fosite.Session.
func (s *session) Clone() fosite.Session {
	c := *s
	return &c
}

// tokens makes codes, refresh tokens and access tokens. It implements
// oauth2.CoreStrategy.
type tokens struct{ *server }

var _ oauth2.CoreStrategy = (*tokens)(nil)

// accessClaims are those of RFC 9068 with the tenant's.
type accessClaims struct {
	jwt.Claims
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	TenantID string `json:"tenant_id"`
	// Origins are from where browsers may call with it: services answer pages by
	// it alone. The name is Keycloak's.
	Origins []string `json:"allowed-origins,omitempty"`
	Actor   *actor   `json:"act,omitempty"`
}

// GenerateAccessToken implements oauth2.AccessTokenStrategy. The jti of a
// token that a person's login gave begins with the family's id.
func (t *tokens) GenerateAccessToken(ctx context.Context, r fosite.Requester) (token, signature string, err error) {
	sess, now := r.GetSession().(*session), time.Now()
	audience, err := t.audienceOf(sess.Audience, clientRequestOf(ctx).asked)
	if err != nil {
		return "", "", err
	}
	c := accessClaims{ClientID: r.GetClient().GetID(), Scope: join(r.GetGrantedScopes()), TenantID: sess.Tenant.String(), Actor: sess.Actor, Claims: jwt.Claims{
		Issuer: t.cfg.Issuer, Subject: sess.Subject, Audience: audience, ID: uuid.NewString(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(accessTokenLife)),
	}}
	if !sess.NotAfter.IsZero() && sess.NotAfter.Before(c.Expiry.Time()) {
		c.Expiry = jwt.NewNumericDate(sess.NotAfter)
	}
	if c.Subject == "" {
		c.Subject = c.ClientID
	} else {
		c.ID = r.GetID() + "." + rand.Text()
	}
	if own, ok := r.GetClient().(*client); ok {
		c.Origins = own.WebOrigins
	}
	token, err = jwt.Signed(t.keys.active().accessTokens).Claims(c).Serialize()
	return token, "", err
}

// AccessTokenSignature implements oauth2.AccessTokenStrategy; nothing is kept by it.
func (t *tokens) AccessTokenSignature(context.Context, string) string { return "" }

// ValidateAccessToken implements oauth2.AccessTokenStrategy; introspect does it.
func (t *tokens) ValidateAccessToken(context.Context, fosite.Requester, string) error { return nil }

// GenerateRefreshToken implements oauth2.RefreshTokenStrategy: the first of a family.
func (t *tokens) GenerateRefreshToken(ctx context.Context, _ fosite.Requester) (token, signature string, err error) {
	token = refreshPrefix + opaque()
	clientRequestOf(ctx).refresh = digest(token)
	return token, string(digest(token)), nil
}

const refreshPrefix = "bwr_"

// successor is the token that takes another's place. It is derived, so that
// two requests with one token, of which neither knows of the other, are given
// the same successor and not a family each.
func (s *server) successor(token string) string {
	h := hmac.New(sha256.New, s.refresh)
	h.Write([]byte(token))
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// RefreshTokenSignature implements oauth2.RefreshTokenStrategy.
func (t *tokens) RefreshTokenSignature(_ context.Context, token string) string {
	return string(digest(token))
}

// ValidateRefreshToken implements oauth2.RefreshTokenStrategy; refreshHandler does it.
func (t *tokens) ValidateRefreshToken(context.Context, fosite.Requester, string) error { return nil }

// GenerateAuthorizeCode implements oauth2.AuthorizeCodeStrategy.
func (t *tokens) GenerateAuthorizeCode(context.Context, fosite.Requester) (token, signature string, err error) {
	token = "bwc_" + opaque()
	return token, string(digest(token)), nil
}

// AuthorizeCodeSignature implements oauth2.AuthorizeCodeStrategy.
func (t *tokens) AuthorizeCodeSignature(_ context.Context, token string) string {
	return string(digest(token))
}

// ValidateAuthorizeCode implements oauth2.AuthorizeCodeStrategy; the store
// gives out no code that has expired.
func (t *tokens) ValidateAuthorizeCode(context.Context, fosite.Requester, string) error { return nil }

// opaque returns 256 bits of randomness as text.
func opaque() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

// digest is what is kept of a secret that we made: 256 bits of randomness need
// no slow hash.
func digest(secret string) []byte {
	d := sha256.Sum256([]byte(secret))
	return d[:]
}
