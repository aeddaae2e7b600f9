-- +goose Up
set lock_timeout = '3s';

alter table clients
    add column version              bigint      not null default 1,
    add column enabled              boolean     not null default true,
    add column first_party          boolean     not null default false, -- the platform decides, not the tenant
    add column auth_method          text        check (auth_method in ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')), -- null: what fits the type
    add column jwks                 json,
    add column previous_secret_hash bytea,
    add column previous_until       timestamptz;

-- Assertions that clients have proved themselves with, until they expire: one is good once.
create table client_assertions (
    tenant_id  uuid        not null,
    client_id  text        not null,
    hash       bytea       not null, -- of the jti
    expires_at timestamptz not null,
    primary key (tenant_id, client_id, hash),
    foreign key (tenant_id, client_id) references clients (tenant_id, id) on delete cascade
);
create index client_assertions_expiry on client_assertions (expires_at);
alter table client_assertions enable row level security;
alter table client_assertions force row level security;
create policy tenant on client_assertions to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on client_assertions to auth_owner using (true) with check (true);
create policy system_select on client_assertions for select to auth_system using (expires_at < now());
create policy system_delete on client_assertions for delete to auth_system using (expires_at < now());
grant select, insert, update, delete on client_assertions to auth_app;
grant select, delete on client_assertions to auth_system;
