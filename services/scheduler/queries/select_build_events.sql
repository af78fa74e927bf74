-- The history of a build, oldest first.
-- $1 build
select state, phase, created_at, message from build_events where build_id = $1 order by id
