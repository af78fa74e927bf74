-- Lets a build wait for its next attempt; returns when that is.
-- $1 build, $2 pool, $3 project, $4 priority, $5 sequence, $6 delay
insert into build_delays (build_id, pool, project, priority, sequence, not_before)
values ($1, $2, $3, $4, $5, now() + $6::interval)
returning not_before
