delete from build_secrets where project = $1 and name = $2
