update events
set state = done.state, detail = done.detail, evaluate_time = now()
from unnest($1::text[], $2::text[], $3::text[]) as done (id, state, detail)
where events.id = done.id
