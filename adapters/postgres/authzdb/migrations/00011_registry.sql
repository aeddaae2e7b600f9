-- +goose Up
set lock_timeout = '3s';

-- What our services declare: of no tenant, and nothing that a tenant sees.
create table registered_permissions (
    name        text not null primary key check (length(name) between 3 and 100),
    service     text not null check (length(service) between 1 and 100),
    description text not null check (length(description) <= 500),
    least       text not null check (least in ('owner', 'admin', 'manager', 'member', 'viewer'))
);
grant select, insert, update on registered_permissions to authz_system;

-- Who is found to bring it to all tenants.
create policy system on permissions for select to authz_system using (true);
grant select (tenant_id, name, builtin) on permissions to authz_system;
