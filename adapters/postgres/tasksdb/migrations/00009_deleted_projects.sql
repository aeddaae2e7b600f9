-- +goose Up
set lock_timeout = '3s';

-- What is deleted with a project may be a million rows, more than a request can
-- wait for. A large one is marked; from then on the service shows it no more and
-- changes nothing in it, and the worker drops it in parts.
alter table projects add deleted_at timestamptz, add check (deleted_at is null or archived_at is not null);
create index projects_deleted on projects (tenant_id, id) where deleted_at is not null;

-- The worker drops what is in a deleted project, and reads no more of it than what that is.
create policy system on projects to tasks_system using (deleted_at is not null) with check (false);
create policy system_drops on tasks to tasks_system
    using ((tenant_id, project_id) in (select p.tenant_id, p.id from projects p where p.deleted_at is not null)) with check (false);
grant select (tenant_id, id, deleted_at), update (deleted_at), delete on projects to tasks_system; -- to lock it, and drop it
grant select (project_id, created_at) on tasks to tasks_system;
grant select (project_id) on task_imports to tasks_system;

-- +goose Down
revoke select (project_id) on task_imports from tasks_system;
revoke select (project_id, created_at) on tasks from tasks_system;
revoke select (tenant_id, id, deleted_at), update (deleted_at), delete on projects from tasks_system;
drop policy system_drops on tasks;
drop policy system on projects;
drop index projects_deleted;
alter table projects drop deleted_at;
