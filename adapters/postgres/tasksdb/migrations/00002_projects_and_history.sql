-- +goose Up
set lock_timeout = '3s';
set local row_security = on; -- the migrator's own policy shows every row; off, a change of rows is refused

alter table projects
    add key         text check (key ~ '^[A-Z][A-Z0-9]{1,9}$'),
    add statuses    jsonb not null default '[{"name": "open", "next": ["in_progress", "done", "cancelled"]}, {"name": "in_progress", "next": ["open", "done", "cancelled"]},
        {"name": "done", "next": ["open", "in_progress"]}, {"name": "cancelled", "next": ["open"]}]',
    add archived_at timestamptz;
update projects p set key = 'P' || n.n
    from (select tenant_id, id, row_number() over (partition by tenant_id order by created_at, id) + 9 as n from projects) n
    where p.tenant_id = n.tenant_id and p.id = n.id;
alter table projects alter key set not null, alter statuses drop default;
create unique index projects_key on projects (tenant_id, key);

-- Numbers of tasks. A row of its own, so that counting neither rewrites the
-- project nor waits for those who read it.
create table project_counters (
    tenant_id  uuid   not null,
    project_id uuid   not null,
    last       bigint not null,
    primary key (tenant_id, project_id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
) with (fillfactor = 10);

create table project_members (
    tenant_id  uuid        not null,
    project_id uuid        not null,
    user_id    uuid        not null,
    added_at   timestamptz not null,
    added_by   text        not null,
    primary key (tenant_id, project_id, user_id),
    foreign key (tenant_id, project_id) references projects (tenant_id, id) on delete cascade
);
create index project_members_page on project_members (tenant_id, project_id, added_at, user_id);

alter table tasks
    drop constraint tasks_status_check,
    add number           bigint,
    add key              text,
    add assignees        uuid[]      not null default '{}',
    add labels           text[]      not null default '{}',
    add start_at         timestamptz,
    add estimate_minutes bigint check (estimate_minutes between 0 and 1000000),
    add parent_id        uuid check (parent_id <> id),
    add rank             text collate "C",
    add deleted_at       timestamptz,
    add search           tsvector    not null generated always as (to_tsvector('simple', title || ' ' || description)) stored;
update tasks t set number = n.n, key = p.key || '-' || n.n, rank = lpad(n.n::text, 10, '0') || 'V',
        assignees = case when t.assignee_id is null then '{}' else array[t.assignee_id] end
    from (select tenant_id, id, row_number() over (partition by tenant_id, project_id order by created_at, id) as n from tasks) n, projects p
    where t.tenant_id = n.tenant_id and t.id = n.id and p.tenant_id = t.tenant_id and p.id = t.project_id;
alter table tasks
    drop assignee_id,
    alter number set not null, alter key set not null, alter rank set not null, alter assignees drop default, alter labels drop default,
    add check (start_at <= due_at),
    add foreign key (tenant_id, parent_id) references tasks (tenant_id, id) on delete set null (parent_id);
insert into project_counters select p.tenant_id, p.id, coalesce(max(t.number), 0)
    from projects p left join tasks t on t.tenant_id = p.tenant_id and t.project_id = p.id group by p.tenant_id, p.id;
drop index tasks_page, tasks_project;
create unique index tasks_key on tasks (tenant_id, key);
create index tasks_page on tasks (tenant_id, created_at, id) where deleted_at is null;
create index tasks_project on tasks (tenant_id, project_id, created_at, id);
create index tasks_rank on tasks (tenant_id, project_id, rank, id) where deleted_at is null;
create index tasks_parent on tasks (tenant_id, parent_id) where parent_id is not null;
create index tasks_trash on tasks (tenant_id, deleted_at, id) where deleted_at is not null;

-- One row for each version of a task instead of one for each field.
alter table task_changes rename to task_changes_by_field;
create table task_changes (
    tenant_id  uuid        not null,
    task_id    uuid        not null,
    version    bigint      not null,
    at         timestamptz not null,
    actor      text        not null,
    request_id text        not null,
    fields     jsonb       not null,
    primary key (tenant_id, task_id, version),
    foreign key (tenant_id, task_id) references tasks (tenant_id, id) on delete cascade
);
insert into task_changes
    select tenant_id, task_id, row_number() over (partition by tenant_id, task_id order by at), at, min(actor), min(request_id),
        jsonb_agg(jsonb_build_object('field', field, 'before', nullif(before, ''), 'after', nullif(after, '')) order by field)
    from task_changes_by_field group by tenant_id, task_id, at;
drop table task_changes_by_field;

-- +goose StatementBegin
do $$ declare t text; begin
    foreach t in array array['project_counters', 'project_members', 'task_changes'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy tenant on %I to tasks_app using (tenant_id = (select current_setting(''app.tenant_id'')::uuid))
            with check (tenant_id = (select current_setting(''app.tenant_id'')::uuid))', t);
        execute format('create policy migrator on %I to tasks_owner using (true) with check (true)', t);
        execute format('grant select, insert, update, delete on %I to tasks_app', t);
    end loop;
end $$;
-- +goose StatementEnd

-- The purge of the trash concerns all tenants at once.
create policy system on tasks to tasks_system using (deleted_at is not null);
grant select (tenant_id, id, deleted_at), delete on tasks to tasks_system;
