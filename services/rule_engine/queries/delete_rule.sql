delete from rules
where project = $1 and id = $2
returning connection_id, repository, repository_key
