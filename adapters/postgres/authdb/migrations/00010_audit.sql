-- +goose Up
set lock_timeout = '3s';

-- The end of each tenant's chain: what is written next hangs on it, so that
-- changes at the same time get a place one after the other and without a gap.
create table audit_heads (
    tenant_id uuid   not null primary key,
    sequence  bigint not null,
    hash      bytea  not null
);

-- What happened, in order. hash is the SHA-256 of the hash before (of the first:
-- the tenant's id), the sequence and the event's text: no row can be changed,
-- taken out, put in or moved to another tenant without a break.
create table audit_events (
    tenant_id uuid   not null,
    sequence  bigint not null check (sequence > 0),
    event     json   not null,
    hash      bytea  not null,
    primary key (tenant_id, sequence)
);

alter table audit_heads enable row level security;
alter table audit_heads force row level security;
create policy tenant on audit_heads to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on audit_heads to auth_owner using (true) with check (true);
create policy system on audit_heads for select to auth_system using (true);
grant select, insert, update on audit_heads to auth_app;
grant select on audit_heads to auth_system;

alter table audit_events enable row level security;
alter table audit_events force row level security;
create policy tenant on audit_events to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on audit_events to auth_owner using (true) with check (true);
create policy system on audit_events for select to auth_system using (true);
grant select, insert on audit_events to auth_app;
grant select on audit_events to auth_system;
