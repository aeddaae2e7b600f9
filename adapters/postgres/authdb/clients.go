package authdb

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/fault"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

// client is a row.
type client struct {
	TenantID                                                 uuid.UUID
	ID, Name, Type                                           string
	RedirectURIs, PostLogoutRedirectURIs, GrantTypes, Scopes []string
	SecretHash                                               []byte
	SecretVersion                                            int64
	CreatedAt                                                time.Time
}

func (c client) domain() login.Client {
	return login.Client{
		ID: c.ID, Name: c.Name, Type: c.Type, RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, GrantTypes: c.GrantTypes,
		Scopes: c.Scopes, CreatedAt: c.CreatedAt, Tenant: c.TenantID, SecretVersion: c.SecretVersion, SecretHash: c.SecretHash,
	}
}

// kept is what a receipt keeps of a client: also the count of rotations, from
// which its secret is derived, but no secret.
type kept struct {
	login.Client
	Rotations int64
}

func (k kept) client() login.Client {
	k.Client.SecretVersion = k.Rotations
	return k.Client
}

const (
	clientColumns = `tenant_id, id, name, type, redirect_uris as "RedirectURIs", post_logout_redirect_uris as "PostLogoutRedirectURIs", grant_types, scopes, secret_hash, secret_version, created_at`
	insertClient  = `insert into clients (tenant_id, id, name, type, redirect_uris, post_logout_redirect_uris, grant_types, scopes, secret_hash, secret_version, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	replaceClient = insertClient + ` on conflict (tenant_id, id) do update set name = excluded.name, redirect_uris = excluded.redirect_uris`
)

func clientArgs(tenant identity.TenantID, c login.Client) []any {
	return []any{tenant, c.ID, c.Name, c.Type, c.RedirectURIs, c.PostLogoutRedirectURIs, c.GrantTypes, c.Scopes, c.SecretHash, c.SecretVersion, c.CreatedAt}
}

// AddClient implements login.Store.
func (s *Store) AddClient(ctx context.Context, who identity.Caller, c login.Client) (login.Client, error) {
	got, err := postgres.Write(ctx, s.app, who, kept{c, c.SecretVersion}, func(b *pgx.Batch) { b.Queue(insertClient, clientArgs(who.Tenant, c)...) })
	return got.client(), err
}

// PutClient implements login.Store.
func (s *Store) PutClient(ctx context.Context, tenant identity.TenantID, c login.Client) error {
	_, err := s.exec(ctx, tenant, replaceClient, clientArgs(tenant, c)...)
	return err
}

const findClient = `select ` + clientColumns + ` from clients where id = $1`

// FindClient returns a client of any tenant by its id, or fault.NotFound.
func (s *Store) FindClient(ctx context.Context, id string) (login.Client, error) {
	var rows []client
	err := s.system.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &rows, findClient, id) })
	if err == nil && len(rows) != 1 {
		err = notFound()
	}
	if err != nil {
		return login.Client{}, err
	}
	return rows[0].domain(), nil
}

const selectClient = `select ` + clientColumns + ` from clients where tenant_id = $1 and id = $2`

// Client implements login.Store.
func (s *Store) Client(ctx context.Context, who identity.Caller, id string) (login.Client, error) {
	c, err := one[client](ctx, s.app, who.Tenant, selectClient, who.Tenant, id)
	return c.domain(), err
}

const selectClients = `select ` + clientColumns + ` from clients where tenant_id = $1 and (created_at, id) > ($2, $3) order by created_at, id limit $4`

// Clients implements login.Store.
func (s *Store) Clients(ctx context.Context, who identity.Caller, r page.Request) (page.Result[login.Client], error) {
	after := ""
	if r.After.ID != uuid.Nil {
		after = r.After.ID.String()
	}
	var rows []client
	err := s.app.Tenant(ctx, who.Tenant, func(b *pgx.Batch) { postgres.Many(b, &rows, selectClients, who.Tenant, r.After.At, after, r.Limit+1) })
	all := make([]login.Client, len(rows))
	for i, c := range rows {
		all[i] = c.domain()
	}
	return page.Cut(all, r.Limit, func(c login.Client) page.Key { return page.Key{At: c.CreatedAt, ID: uuid.MustParse(c.ID)} }), err
}

const updateSecret = `with changed as (update clients set secret_hash = $4, secret_version = $3 where tenant_id = $1 and id = $2 and secret_version = $3 - 1 returning id)`

// SetSecret implements login.Store.
func (s *Store) SetSecret(ctx context.Context, who identity.Caller, c login.Client) (login.Client, error) {
	got, found, err := postgres.Change(ctx, s.app, who, kept{c, c.SecretVersion}, updateSecret, who.Tenant, c.ID, c.SecretVersion, c.SecretHash)
	if err == nil && !found {
		err = fault.New(fault.Conflict, "secret_rotated", "the secret was just rotated by somebody else")
	}
	return got.client(), err
}

const deleteClient = `with changed as (delete from clients where tenant_id = $1 and id = $2 returning id)`

// DeleteClient implements login.Store.
func (s *Store) DeleteClient(ctx context.Context, who identity.Caller, id string) error {
	_, found, err := postgres.Change(ctx, s.app, who, true, deleteClient, who.Tenant, id)
	if err == nil && !found {
		err = notFound()
	}
	return err
}

// DropClient implements login.Store.
func (s *Store) DropClient(ctx context.Context, tenant identity.TenantID, id string) error {
	_, err := s.exec(ctx, tenant, `delete from clients where tenant_id = $1 and id = $2`, tenant, id)
	return err
}
