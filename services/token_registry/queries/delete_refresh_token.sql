delete from oauth_refresh_tokens where project = $1 and id = $2
