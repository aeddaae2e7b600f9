-- +goose Up
set lock_timeout = '3s';

-- Slugs are the platform's: their uniqueness is public, whose they are is not.
create table slugs (
    slug      text not null primary key check (length(slug) between 3 and 40),
    tenant_id uuid not null
);
create index slugs_tenant on slugs (tenant_id);

create table registrations (
    tenant_id     uuid        not null primary key,
    slug          text        not null,
    organisation  text        not null check (length(organisation) between 1 and 200),
    owner_id      uuid        not null,
    owner_name    text        not null check (length(owner_name) between 1 and 200),
    email         text        not null check (length(email) <= 254),
    redirect_uris text[]      not null,
    first_client  uuid        not null,
    status        text        not null check (status in ('pending', 'awaiting_verification', 'provisioning', 'active', 'expired', 'failed')),
    steps         jsonb       not null default '{}',
    failure       jsonb,
    created_at    timestamptz not null,
    expires_at    timestamptz not null,
    verified_at   timestamptz,
    due_at        timestamptz
);
create index registrations_due on registrations (due_at) where due_at is not null;

create table tenants (
    tenant_id  uuid        not null primary key,
    slug       text        not null,
    name       text        not null check (length(name) between 1 and 200),
    status     text        not null check (status in ('provisioning', 'active')),
    created_at timestamptz not null
);

create table users (
    tenant_id  uuid        not null references tenants (tenant_id) on delete cascade,
    id         uuid        not null,
    email      text        not null check (length(email) <= 254),
    name       text        not null check (length(name) between 1 and 200),
    status     text        not null check (status in ('active', 'disabled')),
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, email)
);
create index users_page on users (tenant_id, created_at, id);

create table invitations (
    tenant_id  uuid        not null references tenants (tenant_id) on delete cascade,
    id         uuid        not null,
    email      text        not null check (length(email) <= 254),
    name       text        not null check (length(name) <= 200),
    role       text        not null check (length(role) between 1 and 100),
    status     text        not null check (status in ('pending', 'accepted')),
    invited_by text        not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    due_at     timestamptz,
    primary key (tenant_id, id)
);
create index invitations_page on invitations (tenant_id, created_at, id);
create index invitations_email on invitations (tenant_id, email);
create index invitations_due on invitations (due_at) where due_at is not null;

-- A receipt remembers the first answer to a request that named an
-- Idempotency-Key. It is written in the transaction of the effect.
create table idempotency_receipts (
    tenant_id   uuid        not null,
    subject     text        not null,
    key         text        not null check (length(key) between 1 and 255),
    fingerprint text        not null,
    result      json        not null,
    created_at  timestamptz not null default now(),
    primary key (tenant_id, subject, key)
);
create index idempotency_receipts_age on idempotency_receipts (tenant_id, created_at);
alter table idempotency_receipts enable row level security;
alter table idempotency_receipts force row level security;
create policy tenant on idempotency_receipts to users_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on idempotency_receipts to users_owner using (true) with check (true);
create policy system on idempotency_receipts to users_system using (true);
grant select, insert on idempotency_receipts to users_app;
grant select, delete on idempotency_receipts to users_system;

alter table slugs enable row level security;
alter table slugs force row level security;
create policy tenant on slugs to users_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on slugs to users_owner using (true) with check (true);
grant select, insert, delete on slugs to users_app;

alter table registrations enable row level security;
alter table registrations force row level security;
create policy tenant on registrations to users_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on registrations to users_owner using (true) with check (true);
grant select, insert, update on registrations to users_app;

alter table tenants enable row level security;
alter table tenants force row level security;
create policy tenant on tenants to users_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on tenants to users_owner using (true) with check (true);
grant select, insert, update, delete on tenants to users_app;

alter table users enable row level security;
alter table users force row level security;
create policy tenant on users to users_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on users to users_owner using (true) with check (true);
grant select, insert, update, delete on users to users_app;

alter table invitations enable row level security;
alter table invitations force row level security;
create policy tenant on invitations to users_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on invitations to users_owner using (true) with check (true);
grant select, insert, update on invitations to users_app;

-- The reconciler finds what is due over all tenants and notes when to look again.
create policy system_select on registrations for select to users_system using (true);
create policy system_update on registrations for update to users_system using (true);
create policy system_select on invitations for select to users_system using (true);
create policy system_update on invitations for update to users_system using (true);
create policy system_select on tenants for select to users_system using (true);
grant select, update (due_at) on registrations, invitations to users_system;
grant select on tenants to users_system;
