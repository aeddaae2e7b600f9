-- +goose Up
set lock_timeout = '3s';
-- Policies ask for the setting itself, without a select: docs/decisions/isolation.md.
-- +goose StatementBegin
do $$ declare t regclass; begin
    for t in select polrelid from pg_policy where polname = 'tenant' order by polrelid loop
        execute format('alter policy tenant on %s using (tenant_id = current_setting(''app.tenant_id'')::uuid)
            with check (tenant_id = current_setting(''app.tenant_id'')::uuid)', t);
    end loop;
end $$;
-- +goose StatementEnd
