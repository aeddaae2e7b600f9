-- +goose Up
set lock_timeout = '3s';

-- A tenant's runs that are not over are counted whenever one is added.
create index runs_unfinished on runs (tenant_id) where due_at is not null;
