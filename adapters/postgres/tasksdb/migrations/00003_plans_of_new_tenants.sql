-- +goose Up
set lock_timeout = '3s';
-- A tenant that is not among the most common values counts as having no rows,
-- and then any index that begins with the tenant looks as good as the primary
-- key, until the table is analysed again: 10,000 rows were read for one. Without
-- statistics PostgreSQL takes every tenant for 1/200 of the table.
alter table projects alter column tenant_id set statistics 0;
alter table project_members alter column tenant_id set statistics 0;
alter table project_counters alter column tenant_id set statistics 0;
alter table tasks alter column tenant_id set statistics 0;
alter table task_changes alter column tenant_id set statistics 0;
alter table task_comments alter column tenant_id set statistics 0;

-- +goose Down
alter table projects alter column tenant_id set statistics -1;
alter table project_members alter column tenant_id set statistics -1;
alter table project_counters alter column tenant_id set statistics -1;
alter table tasks alter column tenant_id set statistics -1;
alter table task_changes alter column tenant_id set statistics -1;
alter table task_comments alter column tenant_id set statistics -1;
