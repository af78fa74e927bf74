-- The oldest events whose rules have not been looked at; of one ref only the oldest, so that builds are ordered as pushes came, and none
-- whose changed paths are being asked for.
select seq, id, project, kind, state, connection_id, source_id, delivery_id, payload, detail, receive_time, evaluate_time,
    (
        select jsonb_build_object('paths', c.paths, 'incomplete', c.incomplete)::text
        from event_changes c
        where c.event_id = e.id
    ) as changes
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
    and not exists (select 1 from event_changes asked where asked.event_id = e.id and asked.paths is null)
order by e.seq
limit $1
for update of e skip locked
