select count(*) as waiting,
    coalesce(
        extract(
            epoch
            from now() - (
                select e.receive_time
                from events e
                where e.id = (select q.event_id from event_queue q order by q.seq limit 1)
            )
        ),
        0
    )::double precision as oldest_seconds
from event_queue
