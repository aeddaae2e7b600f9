-- +goose Up
set lock_timeout = '3s';

alter table invitations drop constraint invitations_status_check;
alter table invitations add constraint invitations_status_check check (status in ('pending', 'accepted', 'withdrawn')) not valid;

-- A role of the same name that came later is not what was offered.
alter table invitations add column role_id uuid;
