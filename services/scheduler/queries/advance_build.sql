-- Moves a locked build to its next state. The last state keeps the phase in which the build ended.
-- $1 build, $2 state, $3 1 when an infrastructure failure is to be counted, $4 not before or null, $5 digest, $6 failure class,
-- $7 failure message, $8 whether that state is the last
update builds
set state = $2, phase = case when $8::boolean then phase else 0 end, revision = revision + 1, infrastructure_failures = infrastructure_failures + $3::int, not_before = $4,
    digest = $5, failure_class = $6, failure_message = $7, finished_at = case when $8::boolean then now() end
where id = $1
returning revision, project, attempt
