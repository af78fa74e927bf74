update api_tokens
set revoke_time = coalesce(revoke_time, $3)
where project = $1 and id = $2
returning id, project, display_name, role, create_time, expire_time, revoke_time, last_use_time
