-- The facts about a waiting build; an agent counts as there when it called within $2.
-- $1 build, $2 interval
select build.state, build.project, build.infrastructure_failures, build.not_before,
       case when build.state = 1 then (
         select count(*) from build_queue queue
         where queue.pool = build.pool and queue.project = build.project
           and (queue.priority, queue.sequence) < (build.priority, build.sequence)) else 0 end as ahead,
       waiting.build_id is not null as waits_for_rule,
       case when waiting.build_id is not null then (
         select count(*) from rule_waits other
         where other.project = build.project and other.rule_id = build.rule_id
           and (other.priority, other.sequence) < (build.priority, build.sequence)) else 0 end as ahead_in_rule,
       (select count(*) from rule_slots slot where slot.project = build.project and slot.rule_id = build.rule_id) as rule_running,
       build.max_concurrent as rule_max_running,
       coalesce(lane.running, 0) as running, coalesce(lane.max_running, 1) as max_running,
       (select count(*) from agents where agents.pool = build.pool and not draining and not drained
          and last_seen_at > now() - $2::interval) as ready_agents,
       (select coalesce(sum(free_slots), 0) from agents where agents.pool = build.pool and not draining and not drained
          and last_seen_at > now() - $2::interval) as free_slots
from builds build left join queue_lanes lane on lane.pool = build.pool and lane.project = build.project
left join rule_waits waiting on waiting.project = build.project and waiting.rule_id = build.rule_id
  and waiting.priority = build.priority and waiting.sequence = build.sequence
where build.id = $1
