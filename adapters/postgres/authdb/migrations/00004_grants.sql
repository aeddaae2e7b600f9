-- +goose Up
set lock_timeout = '3s';

-- Whom a family's tokens are for; empty: every service of the platform.
alter table token_families add column audience text[] not null default '{}';

-- Authorization requests that clients have pushed (RFC 9126).
create table pushed_requests (
    tenant_id  uuid        not null,
    hash       bytea       not null, -- of the request_uri
    client_id  text        not null,
    request    json        not null,
    expires_at timestamptz not null,
    primary key (tenant_id, hash),
    foreign key (tenant_id, client_id) references clients (tenant_id, id) on delete cascade
);
create index pushed_requests_client on pushed_requests (tenant_id, client_id);
create index pushed_requests_expiry on pushed_requests (expires_at);
alter table pushed_requests enable row level security;
alter table pushed_requests force row level security;
create policy tenant on pushed_requests to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on pushed_requests to auth_owner using (true) with check (true);
create policy system_select on pushed_requests for select to auth_system using (expires_at < now());
create policy system_delete on pushed_requests for delete to auth_system using (expires_at < now());
grant select, insert, update, delete on pushed_requests to auth_app;
grant select, delete on pushed_requests to auth_system;
