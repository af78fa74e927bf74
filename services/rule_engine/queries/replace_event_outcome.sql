insert into event_outcomes (event_id, project, state, detail)
values ($1, $2, $3, $4)
on conflict (event_id) do update
set state = excluded.state, detail = excluded.detail, evaluate_time = excluded.evaluate_time
