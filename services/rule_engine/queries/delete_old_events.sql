-- A batch of what was received more than $1 ago, with all that belongs to it; never an event that waits, or one whose order the scheduler
-- does not have. No id that is older is above $3.
with old as materialized (
    select e.id
    from events e
    left join event_outcomes done on done.event_id = e.id
    where e.id < $3
        and e.receive_time < now() - $1::interval
        and coalesce(done.state, e.state) not in ('received', 'queued')
        and not exists (select from build_orders o where o.event_id = e.id)
    order by e.id
    limit $2
    for update of e skip locked
), outcomes as (
    delete from event_outcomes o
    using old
    where o.event_id = old.id
), explanations as (
    delete from event_explanations x
    using old
    where x.event_id = old.id
), changes as (
    delete from event_changes c
    using old
    where c.event_id = old.id
)
delete from events e
using old
where e.id = old.id
