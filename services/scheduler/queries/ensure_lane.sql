-- Makes a project's lane when it is the project's first in the pool.
-- $1 pool, $2 project, $3 default for max_running
insert into queue_lanes (pool, project, max_running, weight)
select $1, wanted.project, coalesce(own.max_running, $3::int), coalesce(own.weight, 1)
from (values ($2::text)) as wanted (project) left join project_limits own on own.project = wanted.project
on conflict (pool, project) do nothing
