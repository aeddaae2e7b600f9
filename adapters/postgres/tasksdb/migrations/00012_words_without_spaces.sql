-- +goose Up
set lock_timeout = '3s';
set local row_security = on; -- the migrator's own policy shows every row; off, a change of rows is refused

-- Chinese, Japanese and Korean text has no spaces to find words by: each of its
-- characters, and each pair of neighbours, is kept as a word. unspaced in
-- unspaced.go says which characters these are, too.
-- +goose StatementBegin
create function task_words_of(words tsvector, said text) returns bigint[] language plpgsql immutable parallel safe as $$
declare
    kept bigint[] := task_words_of(words);
    unspaced constant text := '[\u1100-\u11ff\u3005-\u3007\u3031-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]';
begin
    if octet_length(said) = length(said) or said !~ unspaced then -- the first is quick
        return kept;
    end if;
    return array(select unnest(kept) union
        select hashtextextended(case when n = 1 then c else c || after end, 0)
            from (select c, lead(c) over (order by i) as after from unnest(string_to_array(said, null)) with ordinality x (c, i)) y, generate_series(1, 2) n
            where c ~ unspaced and (n = 1 or after ~ unspaced));
end $$;
create or replace function task_words_keep() returns trigger language plpgsql as $$
declare was bigint[] := '{}'; is_now bigint[] := '{}';
begin
    if tg_op <> 'INSERT' then was := task_words_of(old.search, old.title || ' ' || old.description); end if;
    if tg_op <> 'DELETE' then is_now := task_words_of(new.search, new.title || ' ' || new.description); end if;
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

insert into task_words select t.tenant_id, word, t.created_at, t.id from tasks t, unnest(task_words_of(t.search, t.title || ' ' || t.description)) word
    where t.title || t.description ~ '[\u1100-\u11ff\u3005-\ud7a3\uf900-\uff9f\U00020000-\U0003ffff]' on conflict do nothing;
