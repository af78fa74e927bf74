update oauth_refresh_tokens
set claim = '', claim_expire_time = null
where project = $1 and id = $2 and version = $3 and claim = $4
