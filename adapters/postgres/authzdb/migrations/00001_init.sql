-- +goose Up
set lock_timeout = '3s';

-- The row that changes of one tenant's policy wait for one another at.
create table policies (
    tenant_id uuid   not null primary key,
    version   bigint not null
);

create table permissions (
    tenant_id   uuid        not null,
    id          uuid        not null,
    name        text        not null check (length(name) between 3 and 100),
    description text        not null check (length(description) <= 500),
    builtin     boolean     not null,
    created_at  timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, name)
);
create index permissions_page on permissions (tenant_id, created_at, id);

create table roles (
    tenant_id   uuid        not null,
    id          uuid        not null,
    name        text        not null check (length(name) between 1 and 100),
    description text        not null check (length(description) <= 500),
    version     bigint      not null,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, name)
);
create index roles_page on roles (tenant_id, created_at, id);

create table role_permissions (
    tenant_id  uuid not null,
    role_id    uuid not null,
    permission text not null,
    primary key (tenant_id, role_id, permission),
    foreign key (tenant_id, role_id) references roles (tenant_id, id) on delete cascade,
    foreign key (tenant_id, permission) references permissions (tenant_id, name)
);
create index role_permissions_permission on role_permissions (tenant_id, permission);

create table assignments (
    tenant_id    uuid        not null,
    id           uuid        not null,
    subject_kind text        not null check (subject_kind in ('user', 'client')),
    subject_id   text        not null check (length(subject_id) between 1 and 100),
    role_id      uuid        not null,
    created_at   timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, subject_kind, subject_id, role_id),
    foreign key (tenant_id, role_id) references roles (tenant_id, id)
);
create index assignments_page on assignments (tenant_id, created_at, id);
create index assignments_role on assignments (tenant_id, role_id);

-- What happened to a policy, in order and without a gap.
create table policy_changes (
    tenant_id  uuid        not null,
    version    bigint      not null,
    at         timestamptz not null,
    by         text        not null,
    request_id text        not null,
    action     text        not null,
    before     jsonb       not null,
    after      jsonb       not null,
    primary key (tenant_id, version)
);

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
create policy tenant on idempotency_receipts to authz_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on idempotency_receipts to authz_owner using (true) with check (true);
create policy system on idempotency_receipts to authz_system using (true);
grant select, insert on idempotency_receipts to authz_app;
grant select, delete on idempotency_receipts to authz_system;

alter table policies enable row level security;
alter table policies force row level security;
create policy tenant on policies to authz_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on policies to authz_owner using (true) with check (true);
grant select, insert, update, delete on policies to authz_app;

alter table permissions enable row level security;
alter table permissions force row level security;
create policy tenant on permissions to authz_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on permissions to authz_owner using (true) with check (true);
grant select, insert, update, delete on permissions to authz_app;

alter table roles enable row level security;
alter table roles force row level security;
create policy tenant on roles to authz_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on roles to authz_owner using (true) with check (true);
grant select, insert, update, delete on roles to authz_app;

alter table role_permissions enable row level security;
alter table role_permissions force row level security;
create policy tenant on role_permissions to authz_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on role_permissions to authz_owner using (true) with check (true);
grant select, insert, delete on role_permissions to authz_app;

alter table assignments enable row level security;
alter table assignments force row level security;
create policy tenant on assignments to authz_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on assignments to authz_owner using (true) with check (true);
grant select, insert, delete on assignments to authz_app;

alter table policy_changes enable row level security;
alter table policy_changes force row level security;
create policy tenant on policy_changes to authz_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on policy_changes to authz_owner using (true) with check (true);
grant select, insert, delete on policy_changes to authz_app;
