select seq, id, project, kind, state, connection_id, source_id, delivery_id, payload, detail, receive_time, evaluate_time
from events
where project = $1
    and ($2::text = '' or repository_key = $2)
    and seq < $3
order by seq desc
limit $4
