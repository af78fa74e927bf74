-- The event, kept from being evaluated or removed meanwhile.
select id, project, kind, state, connection_id, source_id, delivery_id, payload, detail, receive_time, evaluate_time
from events
where project = $1 and id = $2
for update
