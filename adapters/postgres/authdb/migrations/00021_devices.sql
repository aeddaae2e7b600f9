-- +goose Up
set lock_timeout = '3s';

-- Browsers in which a person has logged in: each holds a random value, of which
-- only the hash is here. Strangers' failures do not slow logins in them.
create table known_devices (
    tenant_id  uuid        not null,
    hash       bytea       not null,
    user_id    uuid        not null,
    expires_at timestamptz not null,
    primary key (tenant_id, hash),
    foreign key (tenant_id, user_id) references credentials (tenant_id, user_id) on delete cascade
);
create index known_devices_user on known_devices (tenant_id, user_id);
create index known_devices_expiry on known_devices (expires_at);
alter table known_devices enable row level security;
alter table known_devices force row level security;
create policy tenant on known_devices to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on known_devices to auth_owner using (true) with check (true);
create policy system_select on known_devices for select to auth_system using (expires_at < now());
create policy system_delete on known_devices for delete to auth_system using (expires_at < now());
grant select, insert, delete on known_devices to auth_app;
grant select, delete on known_devices to auth_system;
