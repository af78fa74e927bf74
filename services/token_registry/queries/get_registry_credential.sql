select id, project, display_name, registry, username, create_time, update_time
from registry_credentials
where project = $1 and id = $2
