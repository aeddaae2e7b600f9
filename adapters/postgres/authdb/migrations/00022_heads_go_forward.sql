-- +goose Up
set lock_timeout = '3s';

-- The service writes the ends of the chains, and could take one back with the
-- entries it hides. Whoever restores rows by hand disables the trigger first.
-- +goose StatementBegin
create function audit_heads_go_forward() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.tenant_id = old.tenant_id and new.sequence = old.sequence + 1 then
        return new;
    end if;
    raise exception 'the end of an audit trail only moves forward, by one entry' using errcode = 'restrict_violation';
end
$$;
-- +goose StatementEnd
create trigger go_forward before update or delete on audit_heads for each row execute function audit_heads_go_forward();
