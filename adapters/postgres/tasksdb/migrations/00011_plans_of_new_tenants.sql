-- +goose Up
set lock_timeout = '3s';
alter table idempotency_receipts alter column tenant_id set statistics 0; -- as of all other tables
