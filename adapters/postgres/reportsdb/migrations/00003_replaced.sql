-- +goose Up
set lock_timeout = '3s';

-- Characters that the format could not show: the file has a substitute for them.
alter table runs add column file_replaced bigint not null default 0;
