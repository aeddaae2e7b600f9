-- +goose Up
set lock_timeout = '3s';

-- The tenant's name, which is no password; empty of who was there before.
alter table credentials add column organisation text not null default '' check (length(organisation) <= 200);
