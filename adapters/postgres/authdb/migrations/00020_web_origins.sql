-- +goose Up
set lock_timeout = '3s';
-- From which browsers may call with a client's tokens.
alter table clients add web_origins text[] not null default '{}';

-- +goose Down
alter table clients drop web_origins;
