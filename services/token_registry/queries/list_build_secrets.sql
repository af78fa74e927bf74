select id, project, name, description, version, create_time, update_time
from build_secrets
where project = $1 and name > $2
order by name
limit $3
