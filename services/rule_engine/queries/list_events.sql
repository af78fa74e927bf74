select e.seq, e.id, e.project, e.kind,
    coalesce(o.state, case e.state when 'queued' then 'received' else e.state end) as state,
    e.connection_id, e.source_id, e.delivery_id, e.payload, coalesce(o.detail, e.detail) as detail, e.receive_time,
    coalesce(o.evaluate_time, e.evaluate_time) as evaluate_time,
    (
        select jsonb_build_object('paths', c.paths, 'incomplete', c.incomplete)::text
        from event_changes c
        where c.event_id = e.id and c.paths is not null
    ) as changes
from events e
left join event_outcomes o on o.event_id = e.id
where e.project = $1
    and ($2::text = '' or e.repository_key = $2)
    and e.seq < $3
    and ($5::text = '' or e.connection_id = $5)
    and ($6::text = '' or e.ref in ($6, 'refs/heads/' || $6, 'refs/tags/' || $6))
    and (cardinality($7::text[]) = 0 or coalesce(o.state, case e.state when 'queued' then 'received' else e.state end) = any ($7))
    and (cardinality($8::text[]) = 0 or e.kind = any ($8))
    and e.receive_time >= $9
    and e.receive_time < $10
order by e.seq desc
limit $4
