-- +goose Up
set lock_timeout = '3s';

-- What is in the trash keeps its place in the manual order, so that nothing
-- else is given it meanwhile: a move looks at those ranks too.
drop index tasks_rank;
create index tasks_rank on tasks (tenant_id, project_id, rank, id);

-- The purge tells the parts of what it drops, and their histories, that they are
-- parts no more. Of tasks that are not in the trash it can read no more than this.
create policy system_sees on tasks for select to tasks_system using (true);
create policy system_frees on tasks for update to tasks_system using (parent_id is not null) with check (parent_id is null);
grant select (parent_id, version, updated_at), update (parent_id, version, updated_at) on tasks to tasks_system;
create policy system on task_changes for insert to tasks_system with check (actor = 'schedule:purge-trash');
grant insert on task_changes to tasks_system;

-- +goose Down
revoke insert on task_changes from tasks_system;
drop policy system on task_changes;
revoke select (parent_id, version, updated_at), update (parent_id, version, updated_at) on tasks from tasks_system;
drop policy system_frees on tasks;
drop policy system_sees on tasks;
drop index tasks_rank;
create index tasks_rank on tasks (tenant_id, project_id, rank, id) where deleted_at is null;
