update api_tokens
set revoke_time = $2
where origin = 'bootstrap' and revoke_time is null and not (token_hash = any ($1::bytea[]))
