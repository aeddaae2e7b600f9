-- +goose Up
set lock_timeout = '3s';

-- The purge drops what is over over all tenants, and nothing else.
create policy system_delete on registrations for delete to users_system using (status in ('expired', 'failed'));
create policy system_delete on invitations for delete to users_system using (due_at is null);
grant delete on registrations, invitations to users_system;
