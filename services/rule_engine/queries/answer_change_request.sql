update event_changes
set paths = $2::jsonb, incomplete = $3
where event_id = $1 and paths is null
