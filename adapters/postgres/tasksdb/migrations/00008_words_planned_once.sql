-- +goose Up
set lock_timeout = '3s';

-- In PL/pgSQL, which plans its query once for a session: in SQL it was planned
-- for each task, a tenth of what a create took.
-- +goose StatementBegin
create or replace function task_words_of(words tsvector) returns bigint[] language plpgsql immutable parallel safe as $$
begin
    return array(select distinct hashtextextended(w, 0) from unnest(tsvector_to_array(words)) w);
end $$;
-- +goose StatementEnd

-- +goose Down
create or replace function task_words_of(words tsvector) returns bigint[] language sql immutable parallel safe
    return array(select distinct hashtextextended(w, 0) from unnest(tsvector_to_array(words)) w);
