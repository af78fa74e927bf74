-- The oldest events whose rules have not been looked at; of one ref only the oldest, so that builds are ordered as pushes came, and none
-- whose changed paths are being asked for. From the place $2 on: before it there are mainly dead rows.
-- The queue grows and shrinks faster than its statistics, so that this is written (and use_indexes.sql runs) to have it read through its
-- indexes however few rows the planner thinks that there are. Materialized: the queue before the ledger. Offset 0: a look for each event.
-- Pairs of lane and seq: by the index that has both.
with due as materialized (
    select q.seq, q.event_id
    from event_queue q
    where q.seq >= $2
        and not exists (
            select
            from event_queue earlier
            where earlier.lane >= q.lane and (earlier.lane, earlier.seq) < (q.lane, q.seq)
            offset 0
        )
        and not exists (select from event_changes asked where asked.event_id = q.event_id and asked.paths is null offset 0)
    order by q.seq
    limit $1
    for update of q skip locked
)
select e.seq, e.id, e.project, e.kind, 'received' as state, e.connection_id, e.source_id, e.delivery_id, e.payload, e.detail,
    e.receive_time, e.evaluate_time,
    (
        select jsonb_build_object('paths', c.paths, 'incomplete', c.incomplete)::text
        from event_changes c
        where c.event_id = e.id
    ) as changes
from due
join events e on e.id = due.event_id
order by due.seq
