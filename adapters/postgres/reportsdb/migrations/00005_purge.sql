-- +goose Up
set lock_timeout = '3s';

-- The purge finds what was over long ago over all tenants, and drops it. What a
-- run was about it cannot read.
create index runs_old on runs (finished_at) where finished_at is not null;
create policy system_sees_old on runs for select to reports_system using (finished_at is not null);
create policy system_drops_old on runs for delete to reports_system using (finished_at is not null);
grant select (finished_at), delete on runs to reports_system;
