-- How far the log of an attempt is; attempt 0 means the newest.
-- $1 build, $2 attempt
select build.state, build.attempt as newest, attempt.attempt, attempt.log_size, attempt.log_expected, attempt.ended_at is not null as ended,
       coalesce(extract(epoch from now() - attempt.ended_at), 0)::float8 as ended_seconds
from builds build
left join build_attempts attempt on attempt.build_id = build.id
  and attempt.attempt = case when $2::int = 0 then build.attempt else $2::int end
where build.id = $1
