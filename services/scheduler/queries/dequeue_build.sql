-- Takes a build out of the queue before anyone claimed it; no row means that it is not queued.
-- $1 pool, $2 project, $3 priority, $4 sequence
with taken as (
  delete from build_queue where pool = $1 and project = $2 and priority = $3 and sequence = $4
  returning pool, project
)
update queue_lanes lane set queued = lane.queued - 1 from taken
where lane.pool = taken.pool and lane.project = taken.project
returning lane.pool
