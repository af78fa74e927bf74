select id, project, display_name, role, create_time, expire_time, revoke_time, last_use_time
from api_tokens
where project = $1 and id = $2
