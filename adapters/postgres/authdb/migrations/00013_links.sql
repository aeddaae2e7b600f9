-- +goose Up
set lock_timeout = '3s';

-- Until now only a mailed link made a credential.
alter table credentials add column email_verified boolean not null default true;

-- Links that are mailed: one is due while hash is null, and works once. What is
-- mailed is random, and is made when the mail is sent; its hash is here.
create table mailed_links (
    tenant_id  uuid        not null,
    id         uuid        not null,
    user_id    uuid        not null,
    purpose    text        not null check (purpose in ('reset', 'verification')),
    hash       bytea,
    due_at     timestamptz,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, hash),
    foreign key (tenant_id, user_id) references credentials (tenant_id, user_id) on delete cascade
);
create index mailed_links_user on mailed_links (tenant_id, user_id);
create index mailed_links_due on mailed_links (due_at) where due_at is not null;
create index mailed_links_expiry on mailed_links (expires_at);
alter table mailed_links enable row level security;
alter table mailed_links force row level security;
create policy tenant on mailed_links to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on mailed_links to auth_owner using (true) with check (true);
grant select, insert, update, delete on mailed_links to auth_app;

-- The sender finds what is due over all tenants, and to whom it goes.
create policy system_select on mailed_links for select to auth_system using (due_at is not null or expires_at < now());
create policy system_update on mailed_links for update to auth_system using (due_at is not null) with check (true);
create policy system_delete on mailed_links for delete to auth_system using (expires_at < now());
grant select, delete, update (due_at) on mailed_links to auth_system;
