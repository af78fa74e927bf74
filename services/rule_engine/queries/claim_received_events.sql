-- The oldest events whose rules have not been looked at; of one ref only the oldest, so that builds are ordered as pushes came.
select seq, id, project, kind, state, connection_id, source_id, delivery_id, payload, detail, receive_time, evaluate_time
from events e
where e.state = 'received'
    and not exists (
        select 1
        from events earlier
        where earlier.state = 'received'
            and earlier.connection_id = e.connection_id
            and earlier.repository_key = e.repository_key
            and earlier.ref = e.ref
            and earlier.seq < e.seq
    )
order by e.seq
limit $1
for update of e skip locked
