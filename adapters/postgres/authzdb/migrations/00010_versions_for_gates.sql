-- +goose Up
set lock_timeout = '3s';

-- Gates ask about many tenants at once. The role that reads for them sees
-- versions, and nothing else of a policy.
create policy system on policies for select to authz_system using (true);
grant select (tenant_id, version) on policies to authz_system;
