select ref, commit_id, pending_commit,
    coalesce(extract(epoch from now() - pending_since), 0)::double precision as pending_seconds
from watched_heads
where project = $1 and connection_id = $2 and name_key = $3
