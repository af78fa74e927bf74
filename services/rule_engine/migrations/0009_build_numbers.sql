-- How many numbered builds a rule has asked for: what {number} in its tag templates was last. Not a change of the rule: version stays.
alter table rules add column build_number bigint not null default 0 check (build_number >= 0);
