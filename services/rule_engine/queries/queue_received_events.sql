-- Queues what a replica of the former version has received and not evaluated.
with received as (
    select id
    from events
    where state = 'received'
    order by seq
    limit $1
    for update skip locked
), taken as (
    update events e
    set state = 'queued'
    from received
    where e.id = received.id
    returning e.seq, e.id, e.project, e.connection_id, e.repository_key, e.ref
)
insert into event_queue (seq, event_id, project, lane)
select seq, id, project, event_lane(connection_id, repository_key, ref)
from taken
