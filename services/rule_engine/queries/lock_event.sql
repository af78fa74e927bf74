-- The event, kept from being evaluated or removed meanwhile.
select id, project, kind, state, connection_id, source_id, delivery_id, payload, detail, receive_time, evaluate_time,
    (
        select jsonb_build_object('paths', c.paths, 'incomplete', c.incomplete)::text
        from event_changes c
        where c.event_id = events.id and c.paths is not null
    ) as changes
from events
where project = $1 and id = $2
for update
