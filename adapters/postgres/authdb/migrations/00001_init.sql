-- +goose Up
set lock_timeout = '3s';

create table clients (
    tenant_id      uuid        not null,
    id             text        not null check (length(id) between 1 and 100),
    name           text        not null check (length(name) between 1 and 200),
    type           text        not null check (type in ('public', 'confidential')),
    redirect_uris  text[]      not null,
    post_logout_redirect_uris text[] not null,
    grant_types    text[]      not null,
    scopes         text[]      not null,
    secret_hash    bytea,
    secret_version bigint      not null,
    created_at     timestamptz not null,
    primary key (tenant_id, id)
);
create index clients_page on clients (tenant_id, created_at, id);
create index clients_id on clients (id); -- a client names its tenant by its id alone

create table credentials (
    tenant_id     uuid        not null,
    user_id       uuid        not null,
    email         text        not null check (length(email) between 3 and 254),
    name          text        not null check (length(name) <= 200),
    password_hash text        not null,
    enabled       boolean     not null,
    updated_at    timestamptz not null default now(),
    primary key (tenant_id, user_id),
    unique (tenant_id, email)
);

-- What a person's browser holds is a random value, of which only the hash is here.
create table login_sessions (
    tenant_id        uuid        not null,
    hash             bytea       not null,
    user_id          uuid        not null,
    authenticated_at timestamptz not null,
    expires_at       timestamptz not null,
    primary key (tenant_id, hash),
    foreign key (tenant_id, user_id) references credentials (tenant_id, user_id) on delete cascade
);
create index login_sessions_user on login_sessions (tenant_id, user_id);

create table authorization_codes (
    tenant_id  uuid        not null,
    hash       bytea       not null,
    client_id  text        not null,
    user_id    uuid        not null,
    family_id  uuid        not null,
    request    json        not null,
    expires_at timestamptz not null,
    used_at    timestamptz,
    primary key (tenant_id, hash),
    foreign key (tenant_id, client_id) references clients (tenant_id, id) on delete cascade,
    foreign key (tenant_id, user_id) references credentials (tenant_id, user_id) on delete cascade
);
create index authorization_codes_client on authorization_codes (tenant_id, client_id);
create index authorization_codes_user on authorization_codes (tenant_id, user_id);

-- A family is what one authorization gave: an access token, and refresh tokens
-- each of which takes the place of the one before.
create table token_families (
    tenant_id  uuid        not null,
    id         uuid        not null,
    client_id  text        not null,
    user_id    uuid        not null,
    scopes     text[]      not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, client_id) references clients (tenant_id, id) on delete cascade,
    foreign key (tenant_id, user_id) references credentials (tenant_id, user_id) on delete cascade
);
create index token_families_client on token_families (tenant_id, client_id);
create index token_families_user on token_families (tenant_id, user_id);

create table refresh_tokens (
    tenant_id  uuid        not null,
    hash       bytea       not null,
    family_id  uuid        not null,
    expires_at timestamptz not null,
    used_at    timestamptz,
    primary key (tenant_id, hash),
    foreign key (tenant_id, family_id) references token_families (tenant_id, id) on delete cascade
);
create index refresh_tokens_family on refresh_tokens (tenant_id, family_id);

-- Access tokens that were revoked by themselves, until they expire.
create table revoked_tokens (
    tenant_id  uuid        not null,
    jti        text        not null check (length(jti) <= 100),
    expires_at timestamptz not null,
    primary key (tenant_id, jti)
);

create table login_failures (
    tenant_id     uuid        not null,
    key           bytea       not null, -- of account and network
    failures      integer     not null,
    blocked_until timestamptz not null,
    expires_at    timestamptz not null,
    primary key (tenant_id, key)
);

-- The platform's own keys, sealed with a key that is not in the database.
create table signing_keys (
    kid        text        not null primary key,
    sealed     bytea       not null,
    created_at timestamptz not null default now()
);
alter table signing_keys enable row level security;
alter table signing_keys force row level security;
create policy migrator on signing_keys to auth_owner using (true) with check (true);
create policy system on signing_keys to auth_system using (true) with check (true);
grant select, insert on signing_keys to auth_system;

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
create policy tenant on idempotency_receipts to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on idempotency_receipts to auth_owner using (true) with check (true);
create policy system on idempotency_receipts to auth_system using (true);
grant select, insert on idempotency_receipts to auth_app;
grant select, delete on idempotency_receipts to auth_system;

alter table clients enable row level security;
alter table clients force row level security;
create policy tenant on clients to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on clients to auth_owner using (true) with check (true);
grant select, insert, update, delete on clients to auth_app;

alter table credentials enable row level security;
alter table credentials force row level security;
create policy tenant on credentials to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on credentials to auth_owner using (true) with check (true);
grant select, insert, update, delete on credentials to auth_app;

alter table login_sessions enable row level security;
alter table login_sessions force row level security;
create policy tenant on login_sessions to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on login_sessions to auth_owner using (true) with check (true);
grant select, insert, update, delete on login_sessions to auth_app;

alter table authorization_codes enable row level security;
alter table authorization_codes force row level security;
create policy tenant on authorization_codes to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on authorization_codes to auth_owner using (true) with check (true);
grant select, insert, update, delete on authorization_codes to auth_app;

alter table token_families enable row level security;
alter table token_families force row level security;
create policy tenant on token_families to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on token_families to auth_owner using (true) with check (true);
grant select, insert, update, delete on token_families to auth_app;

alter table refresh_tokens enable row level security;
alter table refresh_tokens force row level security;
create policy tenant on refresh_tokens to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on refresh_tokens to auth_owner using (true) with check (true);
grant select, insert, update, delete on refresh_tokens to auth_app;

alter table revoked_tokens enable row level security;
alter table revoked_tokens force row level security;
create policy tenant on revoked_tokens to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on revoked_tokens to auth_owner using (true) with check (true);
grant select, insert, update, delete on revoked_tokens to auth_app;

alter table login_failures enable row level security;
alter table login_failures force row level security;
create policy tenant on login_failures to auth_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on login_failures to auth_owner using (true) with check (true);
grant select, insert, update, delete on login_failures to auth_app;

-- Who asks for a token is known by its client_id before its tenant is.
create policy system on clients for select to auth_system using (true);
grant select on clients to auth_system;

-- What has expired is dropped over all tenants.
create policy system_select on login_sessions for select to auth_system using (expires_at < now());
create policy system_delete on login_sessions for delete to auth_system using (expires_at < now());
grant select, delete on login_sessions to auth_system;
create index login_sessions_expiry on login_sessions (expires_at);
create policy system_select on authorization_codes for select to auth_system using (expires_at < now());
create policy system_delete on authorization_codes for delete to auth_system using (expires_at < now());
grant select, delete on authorization_codes to auth_system;
create index authorization_codes_expiry on authorization_codes (expires_at);
create policy system_select on token_families for select to auth_system using (expires_at < now());
create policy system_delete on token_families for delete to auth_system using (expires_at < now());
grant select, delete on token_families to auth_system;
create index token_families_expiry on token_families (expires_at);
create policy system_select on refresh_tokens for select to auth_system using (expires_at < now());
create policy system_delete on refresh_tokens for delete to auth_system using (expires_at < now());
grant select, delete on refresh_tokens to auth_system;
create index refresh_tokens_expiry on refresh_tokens (expires_at);
create policy system_select on revoked_tokens for select to auth_system using (expires_at < now());
create policy system_delete on revoked_tokens for delete to auth_system using (expires_at < now());
grant select, delete on revoked_tokens to auth_system;
create index revoked_tokens_expiry on revoked_tokens (expires_at);
create policy system_select on login_failures for select to auth_system using (expires_at < now());
create policy system_delete on login_failures for delete to auth_system using (expires_at < now());
grant select, delete on login_failures to auth_system;
create index login_failures_expiry on login_failures (expires_at);
