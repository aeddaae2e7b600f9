-- +goose Up
set lock_timeout = '3s';
-- The policy asks for the setting itself. A select around it is planned as a
-- query of its own, for each table and each of its checks, and is set up anew
-- with each statement: a twentieth of what PostgreSQL takes for a new task.
-- +goose StatementBegin
do $$ declare t regclass; begin
    for t in select polrelid from pg_policy where polname = 'tenant' order by polrelid loop
        execute format('alter policy tenant on %s using (tenant_id = current_setting(''app.tenant_id'')::uuid)
            with check (tenant_id = current_setting(''app.tenant_id'')::uuid)', t);
    end loop;
end $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
do $$ declare t regclass; begin
    for t in select polrelid from pg_policy where polname = 'tenant' order by polrelid loop
        execute format('alter policy tenant on %s using (tenant_id = (select current_setting(''app.tenant_id'')::uuid))
            with check (tenant_id = (select current_setting(''app.tenant_id'')::uuid))', t);
    end loop;
end $$;
-- +goose StatementEnd
