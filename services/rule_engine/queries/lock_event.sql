-- The event, kept from being evaluated or removed meanwhile.
select e.id, e.project, e.kind,
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
where e.project = $1 and e.id = $2
for update of e
