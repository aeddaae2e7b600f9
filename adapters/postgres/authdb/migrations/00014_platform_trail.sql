-- +goose Up
set lock_timeout = '3s';

-- Changes of signing keys concern no tenant: their trail is the platform's own,
-- under the id that stands in a tenant's place.
create policy system_insert on audit_heads for insert to auth_system with check (tenant_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff');
create policy system_update on audit_heads for update to auth_system using (tenant_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff');
create policy system_insert on audit_events for insert to auth_system with check (tenant_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff');
grant insert, update on audit_heads to auth_system;
grant insert on audit_events to auth_system;
