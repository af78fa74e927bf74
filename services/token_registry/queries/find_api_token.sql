select id, project, display_name, role, create_time, expire_time, revoke_time, last_use_time, token_hash
from api_tokens
where token_hash = $1
