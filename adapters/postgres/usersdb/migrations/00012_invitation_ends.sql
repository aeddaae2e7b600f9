-- +goose Up
set lock_timeout = '3s';
set local row_security = on; -- the migrator's own policy shows every row; off, a change of rows is refused

-- An invitation that nobody accepted is looked at once more after its end.
update invitations set due_at = expires_at + interval '2 minutes' where status = 'pending' and due_at is null;
