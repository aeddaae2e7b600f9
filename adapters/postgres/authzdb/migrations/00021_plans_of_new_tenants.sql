-- +goose Up
set lock_timeout = '3s';
-- With statistics a new tenant counts as having nothing: docs/decisions/isolation.md.
-- +goose StatementBegin
do $$ declare t regclass; begin
    for t in select c.oid from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
            where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by c.oid loop
        execute format('alter table %s alter column tenant_id set statistics 0', t);
    end loop;
end $$;
-- +goose StatementEnd
