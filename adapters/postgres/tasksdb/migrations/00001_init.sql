-- +goose Up
set lock_timeout = '3s';

create table projects (
    tenant_id   uuid        not null,
    id          uuid        not null,
    name        text        not null check (length(name) between 1 and 200),
    description text        not null check (length(description) <= 20000),
    version     bigint      not null,
    created_at  timestamptz not null,
    created_by  text        not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, id)
);
create index projects_page on projects (tenant_id, created_at, id);

create table tasks (
    tenant_id   uuid        not null,
    id          uuid        not null,
    project_id  uuid        not null,
    title       text        not null check (length(title) between 1 and 200),
    description text        not null check (length(description) <= 20000),
    status      text        not null check (status in ('open', 'in_progress', 'done', 'cancelled')),
    priority    text        not null check (priority in ('low', 'normal', 'high', 'urgent')),
    assignee_id uuid,
    due_at      timestamptz,
    version     bigint      not null,
    created_at  timestamptz not null,
    created_by  text        not null,
    updated_at  timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
create index tasks_page on tasks (tenant_id, created_at, id);
create index tasks_project on tasks (tenant_id, project_id, created_at, id);

create table task_comments (
    tenant_id  uuid        not null,
    id         uuid        not null,
    task_id    uuid        not null,
    body       text        not null check (length(body) between 1 and 20000),
    author     text        not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, task_id) references tasks (tenant_id, id) on delete cascade
);
create index task_comments_page on task_comments (tenant_id, task_id, created_at, id);

create table task_changes (
    tenant_id  uuid        not null,
    id         uuid        not null,
    task_id    uuid        not null,
    field      text        not null,
    before     text        not null,
    after      text        not null,
    actor      text        not null,
    request_id text        not null,
    at         timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, task_id) references tasks (tenant_id, id) on delete cascade
);
create index task_changes_task on task_changes (tenant_id, task_id, at, id);

-- A receipt remembers the first answer to a request that named an
-- Idempotency-Key. It is written in the transaction of the effect.
create table idempotency_receipts (
    tenant_id   uuid        not null,
    subject     text        not null,
    key         text        not null check (length(key) between 1 and 255),
    fingerprint text        not null,
    result      json        not null,
    created_at  timestamptz not null default now(),
    primary key (tenant_id, subject, key)
);
create index idempotency_receipts_age on idempotency_receipts (tenant_id, created_at);
alter table idempotency_receipts enable row level security;
alter table idempotency_receipts force row level security;
create policy tenant on idempotency_receipts to tasks_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on idempotency_receipts to tasks_owner using (true) with check (true);
create policy system on idempotency_receipts to tasks_system using (true);
grant select, insert on idempotency_receipts to tasks_app;
grant select, delete on idempotency_receipts to tasks_system;

alter table projects enable row level security;
alter table projects force row level security;
create policy tenant on projects to tasks_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on projects to tasks_owner using (true) with check (true);
grant select, insert, update, delete on projects to tasks_app;

alter table tasks enable row level security;
alter table tasks force row level security;
create policy tenant on tasks to tasks_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on tasks to tasks_owner using (true) with check (true);
grant select, insert, update, delete on tasks to tasks_app;

alter table task_comments enable row level security;
alter table task_comments force row level security;
create policy tenant on task_comments to tasks_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on task_comments to tasks_owner using (true) with check (true);
grant select, insert, update, delete on task_comments to tasks_app;

alter table task_changes enable row level security;
alter table task_changes force row level security;
create policy tenant on task_changes to tasks_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on task_changes to tasks_owner using (true) with check (true);
grant select, insert, update, delete on task_changes to tasks_app;

