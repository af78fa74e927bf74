delete from registry_credentials where project = $1 and id = $2
