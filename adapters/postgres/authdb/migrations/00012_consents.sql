-- +goose Up
set lock_timeout = '3s';

-- What a person has let a client do, until one of them goes.
create table consents (
    tenant_id uuid        not null,
    user_id   uuid        not null,
    client_id text        not null,
    scopes    text[]      not null,
    at        timestamptz not null,
    primary key (tenant_id, user_id, client_id),
    foreign key (tenant_id, user_id) references credentials (tenant_id, user_id) on delete cascade,
    foreign key (tenant_id, client_id) references clients (tenant_id, id) on delete cascade
);
create index consents_client on consents (tenant_id, client_id);
alter table consents enable row level security;
alter table consents force row level security;
create policy tenant on consents to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on consents to auth_owner using (true) with check (true);
grant select, insert, update, delete on consents to auth_app;
