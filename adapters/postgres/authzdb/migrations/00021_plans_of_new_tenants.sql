-- +goose Up
set lock_timeout = '3s';
-- A tenant that is not among the most common values counts as having no rows,
-- and then any index that begins with the tenant looks as good as the key, until
-- the table is analysed again: all of a new tenant's rows are read for one.
-- Without statistics PostgreSQL takes every tenant for 1/200 of the table.
-- +goose StatementBegin
do $$ declare t regclass; begin
    for t in select c.oid from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
            where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by c.oid loop
        execute format('alter table %s alter column tenant_id set statistics 0', t);
    end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
do $$ declare t regclass; begin
    for t in select c.oid from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
            where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by c.oid loop
        execute format('alter table %s alter column tenant_id set statistics -1', t);
    end loop;
end $$;
-- +goose StatementEnd
