package restclient

import (
	"context"
	"net/http"

	"github.com/google/uuid"

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
		Email    string `json:"email"`
		Name     string `json:"name"`
		Password string `json:"password"`
		Enabled  bool   `json:"enabled"`
	}{cred.Email, cred.Name, cred.Password, cred.Enabled}
	return c.Do(ctx, tenant, http.MethodPut, c.cfg.AuthURL+credentialsPath+cred.User.String(), in, nil)
}

// EnableCredential lets the user log in.
func (c *Client) EnableCredential(ctx context.Context, tenant identity.TenantID, user identity.UserID) error {
	return c.Do(ctx, tenant, http.MethodPost, c.cfg.AuthURL+credentialsPath+user.String()+"/enable", nil, nil)
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
