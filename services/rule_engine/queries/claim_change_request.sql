-- A push whose changed paths are to be asked for, for $1. Materialized: a plan that ran the choice again for each row would take more
-- than one.
with due as materialized (
    select event_id
    from event_changes
    where paths is null and next_attempt <= now()
    order by next_attempt
    limit 1
    for update skip locked
)
update event_changes c
set attempts = c.attempts + 1, next_attempt = now() + $1::interval
from due
join events e on e.id = due.event_id
where c.event_id = due.event_id
returning c.event_id, c.project, c.attempts, extract(epoch from now() - c.create_time)::double precision as age,
    e.connection_id, e.payload
