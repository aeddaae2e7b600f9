-- +goose Up
set lock_timeout = '3s';

create table task_imports (
    tenant_id    uuid        not null,
    id           uuid        not null,
    project_id   uuid        not null,
    status       text        not null check (status in ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
    rows_total   bigint      not null check (rows_total > 0),
    rows_done    bigint      not null default 0 check (rows_done between 0 and rows_total),
    rows_refused bigint      not null default 0,
    failure_code text        not null default '',
    file         bytea,
    request_id   text        not null,
    version      bigint      not null,
    created_at   timestamptz not null,
    created_by   text        not null,
    updated_at   timestamptz not null,
    finished_at  timestamptz,
    due_at       timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade,
    check ((status in ('pending', 'running')) = (due_at is not null and file is not null and finished_at is null))
);
create index task_imports_page on task_imports (tenant_id, created_at, id);
create index task_imports_project on task_imports (tenant_id, project_id);
create index task_imports_due on task_imports (due_at) where due_at is not null;
create index task_imports_finished on task_imports (finished_at) where finished_at is not null;

create table task_import_errors (
    tenant_id uuid   not null,
    import_id uuid   not null,
    line      bigint not null,
    errors    jsonb  not null,
    primary key (tenant_id, import_id, line),
    foreign key (tenant_id, import_id) references task_imports (tenant_id, id) on delete cascade
);
alter table task_imports alter column tenant_id set statistics 0;
alter table task_import_errors alter column tenant_id set statistics 0;

alter table task_imports enable row level security;
alter table task_imports force row level security;
create policy tenant on task_imports to tasks_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on task_imports to tasks_owner using (true) with check (true);
grant select, insert, update on task_imports to tasks_app;

alter table task_import_errors enable row level security;
alter table task_import_errors force row level security;
create policy tenant on task_import_errors to tasks_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on task_import_errors to tasks_owner using (true) with check (true);
grant select, insert on task_import_errors to tasks_app;

-- The reconciler finds what is due over all tenants and notes when to look
-- again; the purge drops what is long over. What a file holds they cannot read.
create policy system on task_imports to tasks_system using (true);
grant select (tenant_id, id, due_at, finished_at), update (due_at), delete on task_imports to tasks_system;

-- +goose Down
drop table task_import_errors;
drop table task_imports;
