-- Gives free slots of a rule to the builds that wait for one, first those that go first, and puts these into their lanes, which the
-- caller holds. How many slots there are is what the rule's newest build says.
-- $1 project, $2 rule, $3 default for max_running
with newest as (
  select max_concurrent from (
    (select sequence, max_concurrent from rule_waits where project = $1 and rule_id = $2 order by sequence desc limit 1)
    union all
    (select sequence, max_concurrent from rule_slots where project = $1 and rule_id = $2 order by sequence desc limit 1)
  ) known
  order by sequence desc limit 1
), head as (
  select priority, sequence from rule_waits
  where project = $1 and rule_id = $2
  order by priority, sequence
  limit greatest((select max_concurrent from newest) - (select count(*) from rule_slots where project = $1 and rule_id = $2), 0)
), admitted as (
  delete from rule_waits wait using head
  where wait.project = $1 and wait.rule_id = $2 and (wait.priority, wait.sequence) = (head.priority, head.sequence)
  returning wait.pool, wait.project, wait.rule_id, wait.priority, wait.sequence, wait.build_id, wait.max_concurrent
), held as (
  insert into rule_slots (project, rule_id, sequence, max_concurrent) select project, rule_id, sequence, max_concurrent from admitted
), queued as (
  insert into build_queue (pool, project, priority, sequence, build_id)
  select pool, project, priority, sequence, build_id from admitted
)
insert into queue_lanes as lane (pool, project, queued, max_running, weight)
select admitted.pool, admitted.project, count(*)::int, coalesce(max(own.max_running), $3::int), coalesce(max(own.weight), 1)
from admitted left join project_limits own on own.project = admitted.project
group by admitted.pool, admitted.project
on conflict (pool, project) do update set queued = lane.queued + excluded.queued
returning lane.pool
