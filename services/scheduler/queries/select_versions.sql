-- How far builds and their newest logs are: what watchers compare with what they have sent.
-- $1 builds
select build.id, build.revision, build.state, build.attempt, coalesce(attempt.log_size, 0) as log_size,
       attempt.ended_at is not null as attempt_ended
from builds build left join build_attempts attempt on attempt.build_id = build.id and attempt.attempt = build.attempt
where build.id = any ($1::text[])
