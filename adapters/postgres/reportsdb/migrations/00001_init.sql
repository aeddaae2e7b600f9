-- +goose Up
set lock_timeout = '3s';

create table runs (
    tenant_id       uuid        not null,
    id              uuid        not null,
    report          text        not null check (report in ('tasks')),
    format          text        not null check (format in ('pdf', 'xlsx', 'csv')),
    title           text        not null check (length(title) between 1 and 200),
    filter_project  uuid,
    filter_status   text        not null,
    status          text        not null check (status in ('pending', 'running', 'succeeded', 'failed', 'cancelled')),
    rows_done       bigint      not null default 0,
    rows_total      bigint,
    file_object     uuid,
    file_name       text,
    file_type       text,
    file_size       bigint,
    file_digest     text,
    failure_code    text,
    failure_reason  text,
    version         bigint      not null,
    created_at      timestamptz not null,
    created_by      text        not null,
    updated_at      timestamptz not null,
    finished_at     timestamptz,
    due_at          timestamptz,
    primary key (tenant_id, id),
    check ((status = 'succeeded') = (file_object is not null and file_name is not null and file_type is not null and file_size is not null and file_digest is not null)),
    check ((status in ('pending', 'running')) = (due_at is not null and finished_at is null))
);
create index runs_page on runs (tenant_id, created_at, id);
create index runs_due on runs (due_at) where due_at is not null;

alter table runs enable row level security;
alter table runs force row level security;
create policy tenant on runs to reports_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on runs to reports_owner using (true) with check (true);
grant select, insert, update on runs to reports_app;

-- The reconciler finds what is due over all tenants and notes when to look
-- again. What a run is about it cannot read.
create policy system_select on runs for select to reports_system using (due_at is not null);
create policy system_update on runs for update to reports_system using (due_at is not null);
grant select (tenant_id, id, format, due_at), update (due_at) on runs to reports_system;

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
create policy tenant on idempotency_receipts to reports_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on idempotency_receipts to reports_owner using (true) with check (true);
create policy system on idempotency_receipts to reports_system using (true);
grant select, insert on idempotency_receipts to reports_app;
grant select, delete on idempotency_receipts to reports_system;
