-- Sets a lane's counters to what the tables hold; the caller has locked the lane in an earlier statement, so that nobody
-- changes either. Returns a row when they differed.
-- $1 pool, $2 project
with truth as (
  select (select count(*)::int from build_queue where pool = $1 and project = $2) as queued,
         (select count(*)::int from build_leases where pool = $1 and project = $2) as running
)
update queue_lanes lane set queued = truth.queued, running = truth.running
from truth
where lane.pool = $1 and lane.project = $2 and (lane.queued, lane.running) <> (truth.queued, truth.running)
returning lane.queued, lane.running
