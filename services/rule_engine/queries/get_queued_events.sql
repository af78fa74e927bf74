-- Events that were claimed.
select e.seq, e.id, e.project, e.kind, 'received' as state, e.connection_id, e.source_id, e.delivery_id, e.payload, e.detail,
    e.receive_time, e.evaluate_time,
    (
        select jsonb_build_object('paths', c.paths, 'incomplete', c.incomplete)::text
        from event_changes c
        where c.event_id = e.id
    ) as changes
from events e
where e.id = any ($1::text[])
