insert into api_tokens (id, project, display_name, role, origin, token_hash, create_time, expire_time)
values ($1, $2, $3, $4, 'api', $5, $6, $7)
