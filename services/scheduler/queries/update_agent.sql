-- Records what an agent says of itself.
-- $1 id, $2 session, $3 labels as JSON, $4 version, $5 slots, $6 free slots, $7 draining
update agents
set session_id = $2, labels = $3::jsonb, version = $4, slots = $5, free_slots = $6, draining = $7, last_seen_at = now()
where id = $1
