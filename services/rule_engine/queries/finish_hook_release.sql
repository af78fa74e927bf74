delete from hook_releases
where project = $1 and connection_id = $2 and repository_key = $3
