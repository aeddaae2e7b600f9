-- +goose Up
set lock_timeout = '3s';
-- From which network a client that proves nothing pushed a request, by which they are counted.
alter table pushed_requests add column network text not null default '' check (length(network) <= 100);
drop index pushed_requests_client;
create index pushed_requests_client on pushed_requests (tenant_id, client_id, network);
