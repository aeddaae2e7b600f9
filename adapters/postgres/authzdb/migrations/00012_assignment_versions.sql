-- +goose Up
set lock_timeout = '3s';

alter table assignments add column version bigint not null default 1;
grant update (version) on assignments to authz_app;
