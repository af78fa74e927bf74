-- Sets a lane's counters to what the tables hold, and its limits to what is configured; the caller has locked the lane in an
-- earlier statement, so that nobody changes either. Returns whether the counters differed.
-- $1 pool, $2 project, $3 default for max_running
with truth as (
  select lane.queued <> held.queued or lane.running <> held.running as differed, held.queued, held.running,
         coalesce(own.max_running, $3::int) as max_running, coalesce(own.weight, 1) as weight
  from queue_lanes lane
  cross join lateral (
    select (select count(*)::int from build_queue where pool = $1 and project = $2) as queued,
           (select count(*)::int from build_leases where pool = $1 and project = $2) as running
  ) held
  left join project_limits own on own.project = lane.project
  where lane.pool = $1 and lane.project = $2
)
update queue_lanes lane
set queued = truth.queued, running = truth.running, max_running = truth.max_running, weight = truth.weight
from truth
where lane.pool = $1 and lane.project = $2
  and (lane.queued, lane.running, lane.max_running, lane.weight) <> (truth.queued, truth.running, truth.max_running, truth.weight)
returning truth.differed
