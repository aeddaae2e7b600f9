-- +goose Up
set lock_timeout = '3s';
-- When a session was used last, to the minute.
alter table login_sessions add column used_at timestamptz not null default now();
