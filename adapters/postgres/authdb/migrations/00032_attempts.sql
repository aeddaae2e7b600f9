-- +goose Up
set lock_timeout = '3s';

-- The attempt at a mailed link by which the password was chosen, as users counts
-- them; null once the credential has been open.
alter table credentials add column attempt bigint default 0;
