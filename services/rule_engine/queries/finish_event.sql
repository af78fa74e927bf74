update events
set state = $2, detail = $3, evaluate_time = now()
where id = $1
