-- +goose Up
set lock_timeout = '3s';

-- A registration that nobody has answered counts against its address for an hour,
-- over all tenants, which is why the app counts rows that are not its tenant's.
create table unanswered_registrations (
    tenant_id  uuid        not null primary key,
    address    bytea       not null check (length(address) = 32), -- SHA-256
    created_at timestamptz not null
);
create index unanswered_registrations_address on unanswered_registrations (address, created_at);
alter table unanswered_registrations enable row level security;
alter table unanswered_registrations force row level security;
create policy count on unanswered_registrations for select to users_app using (true);
create policy tenant_insert on unanswered_registrations for insert to users_app
    with check (tenant_id = current_setting('app.tenant_id')::uuid);
create policy tenant_delete on unanswered_registrations for delete to users_app
    using (tenant_id = current_setting('app.tenant_id')::uuid);
create policy migrator on unanswered_registrations to users_owner using (true) with check (true);
create policy system on unanswered_registrations to users_system using (true);
grant select, insert, delete on unanswered_registrations to users_app;
grant select, delete on unanswered_registrations to users_system;
