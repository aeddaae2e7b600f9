-- +goose Up
set lock_timeout = '3s';

alter table tenants drop constraint tenants_status_check;
alter table tenants add constraint tenants_status_check check (status in ('provisioning', 'active', 'suspended')) not valid;
