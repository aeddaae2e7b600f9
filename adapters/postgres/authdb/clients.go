package authdb

import (
	"context"
	"maps"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"bailiwick.dev/adapters/postgres"
	"bailiwick.dev/domain/identity"
	"bailiwick.dev/domain/login"
	"bailiwick.dev/domain/page"
)

// client is a row.
type client struct {
	TenantID                                                             uuid.UUID
	ID, Name, Type                                                       string
	RedirectURIs, PostLogoutRedirectURIs, WebOrigins, GrantTypes, Scopes []string
	SecretHash                                                           []byte
	SecretVersion, Version                                               int64
	Enabled, FirstParty                                                  bool
	AuthMethod                                                           *string
	JWKS                                                                 *login.KeySet
	PreviousSecretHash                                                   []byte
	PreviousUntil                                                        *time.Time
	CreatedAt                                                            time.Time
}

func (c client) domain() login.Client {
	out := login.Client{
		AuthMethod: login.DefaultAuthMethod(c.Type), JWKS: c.JWKS, Enabled: c.Enabled, FirstParty: c.FirstParty, Version: c.Version, ID: c.ID, Name: c.Name, Type: c.Type, RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, WebOrigins: c.WebOrigins, GrantTypes: c.GrantTypes,
		Scopes: c.Scopes, CreatedAt: c.CreatedAt, Tenant: c.TenantID, SecretVersion: c.SecretVersion, SecretHash: c.SecretHash,
	}
	if c.AuthMethod != nil {
		out.AuthMethod = *c.AuthMethod
	}
	if c.PreviousUntil != nil && c.PreviousUntil.After(time.Now()) {
		out.PreviousHash, out.PreviousUntil = c.PreviousSecretHash, c.PreviousUntil
	}
	return out
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
	clientColumns = `tenant_id, id, name, type, redirect_uris as "RedirectURIs", post_logout_redirect_uris as "PostLogoutRedirectURIs", grant_types, scopes, secret_hash, secret_version, created_at,
		version, enabled, first_party, auth_method, jwks as "JWKS", previous_secret_hash, previous_until, web_origins`
	insertClient = `insert into clients (tenant_id, id, name, type, redirect_uris, post_logout_redirect_uris, grant_types, scopes, secret_hash, secret_version,
		auth_method, jwks, enabled, previous_secret_hash, previous_until, version, web_origins, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`
	putClient = `with changed as (` + insertClient + ` on conflict (tenant_id, id) do nothing returning id)`
)

func clientArgs(tenant identity.TenantID, c login.Client) []any {
	return []any{tenant, c.ID, c.Name, c.Type, c.RedirectURIs, c.PostLogoutRedirectURIs, c.GrantTypes, c.Scopes, c.SecretHash, c.SecretVersion,
		c.AuthMethod, c.JWKS, c.Enabled, c.PreviousHash, c.PreviousUntil, c.Version, c.WebOrigins, c.CreatedAt}
}

// platform is one of our own services, whichever, acting for a tenant.
func platform(tenant identity.TenantID) identity.Caller {
	return identity.Caller{Tenant: tenant, Client: "platform"}
}

// clientEvent tells what became of a client: a secret was rotated where its
// version has grown.
func clientEvent(who identity.Caller, action string, c login.Client) login.Event {
	e := login.EventOf(who, action, "client:"+c.ID)
	e.Detail = map[string]string{"name": c.Name, "enabled": strconv.FormatBool(c.Enabled), "version": strconv.FormatInt(c.Version, 10), "secret_version": strconv.FormatInt(c.SecretVersion, 10)}
	return e
}

// AddClient implements login.Store.
func (s *Store) AddClient(ctx context.Context, who identity.Caller, c login.Client) (login.Client, error) {
	got, err := postgres.Write(ctx, s.app, who, kept{c, c.SecretVersion}, func(b *pgx.Batch) {
		b.Queue(insertClient, clientArgs(who.Tenant, c)...)
		queueEvent(b, who.Tenant, clientEvent(who, login.ClientCreated, c), nothing)
	})
	return got.client(), err
}

// PutClient implements login.Store.
func (s *Store) PutClient(ctx context.Context, tenant identity.TenantID, c login.Client) error {
	_, err := s.change(ctx, tenant, clientEvent(platform(tenant), login.ClientCreated, c), putClient, clientArgs(tenant, c)...)
	return err
}

const findClient = `select ` + clientColumns + `, (select max(at) from revocations r where r.tenant_id = c.tenant_id and subject in ('', 'client:' || c.id)) as ended
	from clients c where id = $1 and not exists (select from suspended_tenants s where s.tenant_id = c.tenant_id)`

// FindClient returns a client of any tenant by its id, or fault.NotFound. A
// tenant that is suspended has none.
func (s *Store) FindClient(ctx context.Context, id string) (login.Client, error) {
	var rows []struct {
		client
		Ended *time.Time
	}
	err := s.system.System(ctx, func(b *pgx.Batch) { postgres.Many(b, &rows, findClient, id) })
	if err == nil && len(rows) != 1 {
		err = notFound()
	}
	if err != nil {
		return login.Client{}, err
	}
	c := rows[0].domain()
	c.Ended = rows[0].Ended
	return c, nil
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

// first_party is not here: a tenant does not change it.
var updateClient = `with changed as (update clients set name = $3, type = $4, redirect_uris = $5, post_logout_redirect_uris = $6, grant_types = $7, scopes = $8,
	secret_hash = $9, secret_version = $10, auth_method = $11, jwks = $12, enabled = $13, previous_secret_hash = $14, previous_until = $15, version = $16, web_origins = $17
	where tenant_id = $1 and id = $2 and version = $16 - 1 returning id),
	revoked as (` + revocationInto + `select $1, 'client:' || id, now() + ` + memory + `, now() + ` + revocationLife + ` from changed where not $13` + onceMore + `),
	asked as (delete from consents where tenant_id = $1 and client_id = $2 and $18 and exists (select from changed))`

// ChangeClient implements login.Store.
func (s *Store) ChangeClient(ctx context.Context, who identity.Caller, was, c login.Client) (login.Client, error) {
	args := clientArgs(who.Tenant, c)
	e := clientEvent(who, login.ClientChanged, c)
	maps.Copy(e.Detail, c.Since(was))
	with, args := audited(who.Tenant, e, updateClient, append(args[:len(args)-1], c.LeadsElsewhere(was))...)
	got, found, err := postgres.Change(ctx, s.app, who, kept{c, c.SecretVersion}, with, args...)
	if err == nil && !found {
		err = login.Stale()
	}
	return got.client(), err
}

// SetFirstParty implements login.Store.
func (s *Store) SetFirstParty(ctx context.Context, tenant identity.TenantID, id string, firstParty bool) error {
	e := login.EventOf(platform(tenant), login.ClientChanged, "client:"+id)
	e.Detail = map[string]string{"changed": "first_party", "first_party": strconv.FormatBool(firstParty)}
	found, err := s.change(ctx, tenant, e, `with changed as (update clients set first_party = $3, version = version + 1 where tenant_id = $1 and id = $2 returning id)`, tenant, id, firstParty)
	if err == nil && !found {
		err = notFound()
	}
	return err
}

var deleteClient = `with changed as (delete from clients where tenant_id = $1 and id = $2 and version = $3 returning id),
	revoked as (` + revocationInto + `select $1, 'client:' || id, now() + ` + memory + `, now() + ` + revocationLife + ` from changed` + onceMore + `)`

// DeleteClient implements login.Store.
func (s *Store) DeleteClient(ctx context.Context, who identity.Caller, id string, version int64) error {
	with, args := audited(who.Tenant, login.EventOf(who, login.ClientDeleted, "client:"+id), deleteClient, who.Tenant, id, version)
	_, found, err := postgres.Change(ctx, s.app, who, true, with, args...)
	if err == nil && !found {
		if _, err = s.Client(ctx, who, id); err == nil {
			err = login.Stale()
		}
	}
	return err
}

// DropClient implements login.Store.
func (s *Store) DropClient(ctx context.Context, tenant identity.TenantID, id string) error {
	e := login.EventOf(platform(tenant), login.ClientDeleted, "client:"+id)
	_, err := s.change(ctx, tenant, e, `with changed as (delete from clients where tenant_id = $1 and id = $2 returning id)`, tenant, id)
	return err
}
