package restclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/uuid"

	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/tenancy"
)

const (
	credentialsPath = "/auth/v1/platform/credentials/"
	clientsPath     = "/auth/v1/platform/clients/"
)

// PutCredential makes, or replaces, a credential.
func (c *Client) PutCredential(ctx context.Context, tenant identity.TenantID, cred tenancy.Credential) error {
	in := struct {
		Email        string `json:"email"`
		Name         string `json:"name"`
		Organisation string `json:"organisation"`
		Password     string `json:"password"`
		Enabled      bool   `json:"enabled"`
		Attempt      int64  `json:"attempt"`
	}{cred.Email, cred.Name, cred.Organisation, cred.Password, cred.Enabled, cred.Attempt}
	return c.Do(ctx, tenant, http.MethodPut, c.cfg.AuthURL+credentialsPath+cred.User.String(), in, nil)
}

// EnableCredential lets the user log in.
func (c *Client) EnableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID) error {
	return c.Do(ctx, tenant, http.MethodPost, c.cfg.AuthURL+credentialsPath+user.String()+"/enable", nil, nil)
}

// DisableCredential ends the user's sessions and tokens and lets the user not log in.
func (c *Client) DisableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID, by string) error {
	return c.Do(ctx, tenant, http.MethodPost, c.cfg.AuthURL+credentialsPath+user.String()+"/disable?by="+url.QueryEscape(by), nil, nil)
}

// CanLogIn implements access.People.
func (c *Client) CanLogIn(ctx context.Context, tenant identity.TenantID, user identity.UserID) (bool, error) {
	var got struct {
		Enabled bool `json:"enabled"`
	}
	err := c.Do(ctx, tenant, http.MethodGet, c.cfg.AuthURL+credentialsPath+user.String(), nil, &got)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return got.Enabled, err
}

// SuspendTenant ends the tenant's tokens and gives it no others.
func (c *Client) SuspendTenant(ctx context.Context, tenant identity.TenantID) error {
	return c.Do(ctx, tenant, http.MethodPost, c.cfg.AuthURL+"/auth/v1/platform/tenant/suspend", nil, nil)
}

// ResumeTenant opens a suspended tenant again.
func (c *Client) ResumeTenant(ctx context.Context, tenant identity.TenantID) error {
	return c.Do(ctx, tenant, http.MethodPost, c.cfg.AuthURL+"/auth/v1/platform/tenant/resume", nil, nil)
}

// Revocations returns the revocations of access tokens of all tenants since
// those before; rest.Verifier watches them.
func (c *Client) Revocations(ctx context.Context, since int64) (got identity.Revocations, err error) {
	err = c.Do(ctx, identity.Platform, http.MethodGet, c.cfg.AuthURL+"/auth/v1/platform/revocations?since="+strconv.FormatInt(since, 10), nil, &got)
	return got, err
}

// DeleteCredential removes the credential, if there is one.
func (c *Client) DeleteCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID) error {
	return c.Do(ctx, tenant, http.MethodDelete, c.cfg.AuthURL+credentialsPath+user.String(), nil, nil)
}

// PutClient makes the client; the same client again changes nothing.
func (c *Client) PutClient(ctx context.Context, tenant identity.TenantID, client tenancy.Client) error {
	in := struct {
		Name         string   `json:"name"`
		RedirectURIs []string `json:"redirect_uris"`
	}{client.Name, client.RedirectURIs}
	return c.Do(ctx, tenant, http.MethodPut, c.cfg.AuthURL+clientsPath+client.ID.String(), in, nil)
}

// DeleteClient removes the client, if there is one.
func (c *Client) DeleteClient(ctx context.Context, tenant identity.TenantID, id uuid.UUID) error {
	return c.Do(ctx, tenant, http.MethodDelete, c.cfg.AuthURL+clientsPath+id.String(), nil, nil)
}
