-- The oldest events whose rules have not been looked at; of one ref only the oldest, so that builds are ordered as pushes came, and none
-- whose changed paths are being asked for. From the place $2 on: before it there are mainly dead rows.
-- The queue grows and shrinks faster than its statistics, so that this is written (and use_indexes.sql runs) to have it read through its
-- indexes however few rows the planner thinks that there are. Offset 0: a look for each event. Pairs of lane and seq: by the index that has both.
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
