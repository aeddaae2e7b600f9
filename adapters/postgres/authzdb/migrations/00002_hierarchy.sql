-- +goose Up
set lock_timeout = '3s';

-- A role holds what its parents hold.
create table role_parents (
    tenant_id uuid not null,
    role_id   uuid not null,
    parent_id uuid not null,
    primary key (tenant_id, role_id, parent_id),
    foreign key (tenant_id, role_id) references roles (tenant_id, id) on delete cascade,
    foreign key (tenant_id, parent_id) references roles (tenant_id, id)
);
create index role_parents_parent on role_parents (tenant_id, parent_id);

alter table role_parents enable row level security;
alter table role_parents force row level security;
create policy tenant on role_parents to authz_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on role_parents to authz_owner using (true) with check (true);
grant select, insert, delete on role_parents to authz_app;

-- A role can be given for one project, and until a time.
alter table assignments add column project_id uuid, add column until timestamptz;
alter table assignments drop constraint assignments_tenant_id_subject_kind_subject_id_role_id_key;
alter table assignments add constraint assignments_once
    unique nulls not distinct (tenant_id, subject_kind, subject_id, role_id, project_id);
grant update (until) on assignments to authz_app;
