-- What became of events that were claimed.
with finished as (
    delete from event_queue
    where seq = any ($1::bigint[])
)
insert into event_outcomes (event_id, project, state, detail)
select done.event_id, done.project, done.state, done.detail
from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as done (event_id, project, state, detail)
