-- +goose Up
set lock_timeout = '3s';

-- The purge, which alone asks for a receipt's age, asks for no tenant; BRIN is
-- cheaper to keep than a B-tree for each write that has a key.
drop index idempotency_receipts_age;
create index idempotency_receipts_age on idempotency_receipts using brin (created_at);
