-- +goose Up
set lock_timeout = '3s';

-- Access tokens that ended before they expire, for as long as they would have
-- lived: every service asks for what came since. xid orders them as they become
-- visible: what is older than every transaction under way has been seen.
create table revocations (
    tenant_id  uuid        not null,
    subject    text        not null check (length(subject) <= 200), -- '': all of the tenant's
    at         timestamptz not null,
    expires_at timestamptz not null,
    xid        bigint      not null default pg_current_xact_id()::text::bigint,
    primary key (tenant_id, subject)
);
create index revocations_xid on revocations (xid);
create index revocations_expiry on revocations (expires_at);
alter table revocations enable row level security;
alter table revocations force row level security;
create policy tenant on revocations to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on revocations to auth_owner using (true) with check (true);
create policy system_select on revocations for select to auth_system using (true);
create policy system_delete on revocations for delete to auth_system using (expires_at < now());
grant select, insert, update on revocations to auth_app;
grant select, delete on revocations to auth_system;

-- Tenants whose people and clients are given no tokens.
create table suspended_tenants (
    tenant_id uuid        not null primary key,
    at        timestamptz not null
);
alter table suspended_tenants enable row level security;
alter table suspended_tenants force row level security;
create policy tenant on suspended_tenants to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on suspended_tenants to auth_owner using (true) with check (true);
create policy system on suspended_tenants for select to auth_system using (true);
grant select, insert, update, delete on suspended_tenants to auth_app;
grant select on suspended_tenants to auth_system;

-- A session is shown to its person by id; what it gave ends with it.
alter table login_sessions
    add column id         uuid not null default gen_random_uuid(),
    add column network    text not null default '' check (length(network) <= 100),
    add column user_agent text not null default '' check (length(user_agent) <= 300),
    add unique (tenant_id, id);
-- not valid: no code from before has one, and to look would need every tenant's rows
alter table authorization_codes
    add column session_id uuid,
    add foreign key (tenant_id, session_id) references login_sessions (tenant_id, id) on delete cascade not valid;
create index authorization_codes_session on authorization_codes (tenant_id, session_id);
alter table token_families add column session_id uuid;
create index token_families_session on token_families (tenant_id, session_id);
