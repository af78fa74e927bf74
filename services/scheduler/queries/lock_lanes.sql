-- Locks the lanes of the pairs (pool, project), in one order for everyone. First in the lock order.
-- $1 pools, $2 projects
select lane.pool, lane.project
from queue_lanes lane
join (select distinct pool, project from unnest($1::text[], $2::text[]) as wanted (pool, project)) wanted
  on lane.pool = wanted.pool and lane.project = wanted.project
order by lane.pool, lane.project
for update of lane
