-- What waits and runs, by pool, with the age of the oldest waiting build of each lane's head; for metrics.
select lane.pool, sum(lane.queued)::bigint as queued, sum(lane.running)::bigint as running,
       coalesce(extract(epoch from now() - min(head.queued_at)), 0)::float8 as oldest_wait_seconds
from queue_lanes lane
left join lateral (
  select queue.queued_at from build_queue queue
  where queue.pool = lane.pool and queue.project = lane.project
  order by queue.priority, queue.sequence limit 1
) head on lane.queued > 0
group by lane.pool
