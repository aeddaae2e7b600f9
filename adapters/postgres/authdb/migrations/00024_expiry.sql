-- +goose Up
set lock_timeout = '3s';

-- Only the purge looks for rows by when they expire. A B-tree of that serves
-- other statements too: where statistics say that all has expired, as they do
-- after a quiet hour, a code was looked for among all that live instead of by its
-- hash. BRIN gives only bitmaps, which the service's role does not choose; it is
-- also cheaper to keep.
drop index login_sessions_expiry;
create index login_sessions_expiry on login_sessions using brin (expires_at);
drop index authorization_codes_expiry;
create index authorization_codes_expiry on authorization_codes using brin (expires_at);
drop index token_families_expiry;
create index token_families_expiry on token_families using brin (expires_at);
drop index refresh_tokens_expiry;
create index refresh_tokens_expiry on refresh_tokens using brin (expires_at);
drop index revoked_tokens_expiry;
create index revoked_tokens_expiry on revoked_tokens using brin (expires_at);
drop index login_failures_expiry;
create index login_failures_expiry on login_failures using brin (expires_at);
drop index client_assertions_expiry;
create index client_assertions_expiry on client_assertions using brin (expires_at);
drop index pushed_requests_expiry;
create index pushed_requests_expiry on pushed_requests using brin (expires_at);
drop index revocations_expiry;
create index revocations_expiry on revocations using brin (expires_at);
drop index mailed_links_expiry;
create index mailed_links_expiry on mailed_links using brin (expires_at);
drop index known_devices_expiry;
create index known_devices_expiry on known_devices using brin (expires_at);
