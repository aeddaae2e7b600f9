-- +goose Up
set lock_timeout = '3s';
set local row_security = on; -- the migrator's own policy shows every row; off, a change of rows is refused

-- An invitation that nobody accepted is looked at once more after its end. Those
-- that are over do not keep new ones from being mailed.
update invitations set due_at = greatest(expires_at + interval '2 minutes', now() + random() * interval '1 day') where status = 'pending' and due_at is null;
