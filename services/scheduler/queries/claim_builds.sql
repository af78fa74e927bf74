-- Gives at most one build of each lane to the free slots, the least served lanes first. One statement: lanes that another
-- claimer holds are skipped, so that claimers neither wait for each other nor take the same build.
-- $1 pool, $2 project ('*' = every project), $3 agents, $4 sessions (one pair per free slot), $5 time to live of a lease,
-- $6 what an attempt may take longer than the build's own time limit
with slot as (
  select wanted.agent_id, wanted.session_id, row_number() over () as number
  from unnest($3::text[], $4::text[]) as wanted (agent_id, session_id)
  join agents on agents.id = wanted.agent_id and agents.session_id = wanted.session_id and not agents.drained
), lane as (
  select pool, project from queue_lanes
  where pool = $1 and queued > 0 and running < max_running and ($2 = '*' or project = $2)
  order by (running + 1)::float8 / weight, project
  limit (select count(*) from slot)
  for update skip locked
), head as (
  select first.*, row_number() over () as number
  from lane cross join lateral (
    select queue.pool, queue.project, queue.priority, queue.sequence, queue.build_id from build_queue queue
    where queue.pool = lane.pool and queue.project = lane.project
    order by queue.priority, queue.sequence limit 1
  ) first
), taken as (
  delete from build_queue queue using head
  where (queue.pool, queue.project, queue.priority, queue.sequence) = (head.pool, head.project, head.priority, head.sequence)
  returning queue.pool, queue.project, queue.priority, queue.sequence, queue.build_id, head.number
), bumped as (
  update queue_lanes lane set running = lane.running + 1, queued = lane.queued - 1 from taken
  where lane.pool = taken.pool and lane.project = taken.project
), started as (
  update builds build
  set state = 2, phase = 0, attempt = build.attempt + 1, revision = build.revision + 1, not_before = null,
      started_at = coalesce(build.started_at, now())
  from taken where build.id = taken.build_id
  returning build.id, build.attempt, build.revision, build.timeout
), leased as (
  insert into build_leases (build_id, pool, project, priority, sequence, attempt, agent_id, session_id, fence, expires_at, deadline_at)
  select taken.build_id, taken.pool, taken.project, taken.priority, taken.sequence, started.attempt, slot.agent_id,
         slot.session_id, nextval('lease_fence'), now() + $5::interval, now() + started.timeout + $6::interval
  from taken join started on started.id = taken.build_id join slot on slot.number = taken.number
  returning build_id, project, attempt, agent_id, session_id, fence
), attempted as (
  insert into build_attempts (build_id, attempt, project, agent_id, agent_name, session_id, fence)
  select leased.build_id, leased.attempt, leased.project, leased.agent_id, agents.name, leased.session_id, leased.fence
  from leased join agents on agents.id = leased.agent_id
), recorded as (
  insert into build_events (build_id, project, revision, state, attempt)
  select leased.build_id, leased.project, started.revision, 2, leased.attempt
  from leased join started on started.id = leased.build_id
)
select build_id, agent_id, session_id, fence from leased
