select id, project, display_name, role, create_time, expire_time, revoke_time, last_use_time
from api_tokens
where project = $1 and ($2 = '' or id < $2)
order by id desc
limit $3
