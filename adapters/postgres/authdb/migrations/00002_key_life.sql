-- +goose Up
set lock_timeout = '3s';

-- When a key begins to sign; null: it waits for its turn, published but unused.
-- A key that was there before has been signing: the default is for it alone.
alter table signing_keys add column active_from timestamptz default now();
alter table signing_keys alter column active_from drop default;
grant update, delete on signing_keys to auth_system;
