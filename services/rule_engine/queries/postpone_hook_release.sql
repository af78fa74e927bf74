update hook_releases
set failures = failures + 1, last_error = $4, next_attempt = now() + $5::interval
where project = $1 and connection_id = $2 and repository_key = $3
