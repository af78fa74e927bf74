update event_changes
set next_attempt = now() + $2::interval
where event_id = $1
