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
create index idempotency_receipts_age on idempotency_receipts using brin (created_at);
alter table idempotency_receipts enable row level security;
alter table idempotency_receipts force row level security;
create policy tenant on idempotency_receipts to X_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on idempotency_receipts to X_owner using (true) with check (true);
create policy system on idempotency_receipts to X_system using (true);
grant select, insert on idempotency_receipts to X_app;
grant select, delete on idempotency_receipts to X_system;
