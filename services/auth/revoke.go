package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/ory/fosite"

	"bailiwick.dev/domain/login"
)

// revoke ends a token of the client's (RFC 7009). What is unknown, or
// another's, is answered alike and left alone; a store that does not answer is
// 503, because then nothing was revoked.
func (s *server) revoke(w http.ResponseWriter, r *http.Request) {
	ctx, c, err := s.clientOf(w, r)
	if err == nil {
		err = s.revokeToken(ctx, c, r.PostForm.Get("token"))
	}
	if err != nil {
		writeError(w, r, err)
		return
	}
	noStore(w)
	writeJSON(w, http.StatusOK, struct{}{}) // clients ignore it, but some want JSON of every answer
}

var errNoToken = fosite.ErrInvalidRequest.WithHint("The token is missing.")

func (s *server) revokeToken(ctx context.Context, c *client, token string) error {
	if token == "" {
		return errNoToken
	}
	e := clientRequestOf(ctx).event(ctx, login.TokenRevoked)
	if strings.HasPrefix(token, refreshPrefix) {
		_, err := s.store.RevokeRefresh(ctx, c.Tenant, c.ID, digest(token), e)
		return err
	}
	claims, ok := s.ownAccessToken(c, token)
	if !ok || time.Now().After(claims.Expiry.Time()) {
		return nil
	}
	tenant := tenantIn(claims)
	if family, ok := familyOf(claims.ID); ok && claims.Actor == nil { // who acts for a person does not end the person's login
		return s.store.RevokeFamily(ctx, tenant, family, e)
	}
	return s.store.RevokeToken(ctx, tenant, claims.ID, claims.Expiry.Time(), e)
}
