-- Moves delayed builds whose time has come into the queue; the caller holds their lanes. Builds of other lanes wait for the
-- next round.
-- $1 limit, $2 pools, $3 projects, $4 default for max_running
with chosen as materialized (
  select delay.build_id from build_delays delay
  where delay.not_before <= now()
    and exists (select from unnest($2::text[], $3::text[]) as held (pool, project)
                where held.pool = delay.pool and held.project = delay.project)
  order by delay.not_before limit $1 for update skip locked
), due as (
  delete from build_delays delay using chosen where delay.build_id = chosen.build_id
  returning delay.build_id, delay.pool, delay.project, delay.priority, delay.sequence
), queued as (
  insert into build_queue (pool, project, priority, sequence, build_id)
  select pool, project, priority, sequence, build_id from due
), waiting as (
  update builds build set not_before = null from due where build.id = due.build_id
)
insert into queue_lanes as lane (pool, project, queued, max_running, weight)
select due.pool, due.project, count(*)::int, coalesce(max(own.max_running), $4::int), coalesce(max(own.weight), 1)
from due left join project_limits own on own.project = due.project
group by due.pool, due.project
on conflict (pool, project) do update set queued = lane.queued + excluded.queued
returning lane.pool
