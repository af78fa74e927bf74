delete from watched_heads
where project = $1 and connection_id = $2 and name_key = $3 and ref = any ($4::text[])
