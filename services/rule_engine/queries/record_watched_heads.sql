insert into watched_heads (project, connection_id, name_key, ref, commit_id, pending_commit, pending_since)
select $1, $2, $3, head.ref, head.commit_id, head.pending_commit, case when head.pending_commit <> '' then now() end
from unnest($4::text[], $5::text[], $6::text[]) as head (ref, commit_id, pending_commit)
on conflict (project, connection_id, name_key, ref) do update
set commit_id = excluded.commit_id, pending_commit = excluded.pending_commit, pending_since = excluded.pending_since
