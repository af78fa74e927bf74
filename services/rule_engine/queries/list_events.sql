select seq, id, project, kind, state, connection_id, source_id, delivery_id, payload, detail, receive_time, evaluate_time,
    (
        select jsonb_build_object('paths', c.paths, 'incomplete', c.incomplete)::text
        from event_changes c
        where c.event_id = events.id and c.paths is not null
    ) as changes
from events
where project = $1
    and ($2::text = '' or repository_key = $2)
    and seq < $3
    and ($5::text = '' or connection_id = $5)
    and ($6::text = '' or ref in ($6, 'refs/heads/' || $6, 'refs/tags/' || $6))
    and (cardinality($7::text[]) = 0 or state = any ($7))
    and (cardinality($8::text[]) = 0 or kind = any ($8))
    and receive_time >= $9
    and receive_time < $10
order by seq desc
limit $4
