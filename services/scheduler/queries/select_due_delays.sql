-- Lanes of the delayed builds whose time has come.
-- $1 limit
select pool, project from build_delays where not_before <= now() order by not_before limit $1
