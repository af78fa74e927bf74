-- A batch of what was received more than $1 ago; never an event that waits, or one whose order the scheduler does not have.
with old as (
    select e.id
    from events e
    where e.receive_time < now() - $1::interval
        and e.state <> 'received'
        and not exists (select 1 from build_orders o where o.event_id = e.id)
    order by e.receive_time
    limit $2
    for update skip locked
)
delete from events
using old
where events.id = old.id
