-- +goose Up
set lock_timeout = '3s';

-- The last attempt to use a mailed link, and whose it was: the one that may
-- succeed, whose password auth keeps.
alter table registrations add column attempt bigint not null default 0, add column attempt_by text;
alter table invitations add column attempt bigint not null default 0, add column attempt_by text;
