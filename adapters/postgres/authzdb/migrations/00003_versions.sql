-- +goose Up
set lock_timeout = '3s';

alter table permissions add column version bigint not null default 1;
