-- +goose Up
set lock_timeout = '3s';
set local row_security = on; -- the migrator's own policy shows every row; off, a change of rows is refused

-- The words of tasks, by which they are found: no index serves @@ behind row
-- security, for it is not leakproof. A word is kept as its hash; a search
-- compares the words themselves in the few rows that it finds.
create table task_words (
    tenant_id  uuid        not null,
    word       bigint      not null,
    created_at timestamptz not null, -- the task's, so that a page is read in its order
    task_id    uuid        not null,
    primary key (tenant_id, word, created_at, task_id)
);
alter table task_words alter column tenant_id set statistics 0;
alter table task_words enable row level security;
alter table task_words force row level security;
create policy tenant on task_words to tasks_app
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy migrator on task_words to tasks_owner using (true) with check (true);
create policy system on task_words to tasks_system using (true); -- the purge takes a task's words along
grant select, insert, delete on task_words to tasks_app;
grant select, delete on task_words to tasks_system;

-- Triggers, so that whatever writes a task keeps its words. A foreign key would
-- cost a look at the task for each word.
-- +goose StatementBegin
create function task_words_of(words tsvector) returns bigint[] language sql immutable parallel safe
    return array(select distinct hashtextextended(w, 0) from unnest(tsvector_to_array(words)) w);
create function task_words_keep() returns trigger language plpgsql as $$
declare was bigint[] := '{}'; is_now bigint[] := '{}';
begin
    if tg_op <> 'INSERT' then was := task_words_of(old.search); end if;
    if tg_op <> 'DELETE' then is_now := task_words_of(new.search); end if;
    if tg_op <> 'INSERT' then
        delete from task_words w using unnest(was) gone
            where w.tenant_id = old.tenant_id and w.word = gone and w.created_at = old.created_at and w.task_id = old.id and gone <> all (is_now);
    end if;
    if tg_op <> 'DELETE' then
        insert into task_words select new.tenant_id, word, new.created_at, new.id from unnest(is_now) word where word <> all (was);
    end if;
    return null;
end $$;
-- +goose StatementEnd
create trigger words_added after insert on tasks for each row execute function task_words_keep();
create trigger words_changed after update on tasks for each row when (old.search is distinct from new.search) execute function task_words_keep();
create trigger words_gone after delete on tasks for each row execute function task_words_keep();

insert into task_words select t.tenant_id, word, t.created_at, t.id from tasks t, unnest(task_words_of(t.search)) word;

-- +goose Down
drop trigger words_added on tasks;
drop trigger words_changed on tasks;
drop trigger words_gone on tasks;
drop function task_words_keep;
drop function task_words_of;
drop table task_words;
