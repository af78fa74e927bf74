-- Puts a build into its lane, making the lane when it is the project's first in the pool.
-- $1 pool, $2 project, $3 priority, $4 sequence, $5 build, $6 default for max_running
with queued as (
  insert into build_queue (pool, project, priority, sequence, build_id) values ($1, $2, $3, $4, $5)
  returning pool, project
)
insert into queue_lanes as lane (pool, project, queued, max_running, weight)
select queued.pool, queued.project, 1, coalesce(own.max_running, $6::int), coalesce(own.weight, 1)
from queued left join project_limits own on own.project = queued.project
on conflict (pool, project) do update set queued = lane.queued + 1
