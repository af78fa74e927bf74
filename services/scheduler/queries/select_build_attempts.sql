-- The attempts of a build, oldest first.
-- $1 build
select attempt, agent_id, agent_name, fence, started_at, ended_at, outcome, failure_class, message, log_size, log_expected
from build_attempts where build_id = $1 order by attempt
