-- Takes revocations that are due, and keeps others from taking them for $2.
-- $1 limit, $2 interval
update grant_revocations revocation set attempts = revocation.attempts + 1, due_at = now() + $2::interval
from (select id from grant_revocations where due_at <= now() order by due_at limit $1 for update skip locked) due
where revocation.id = due.id
returning revocation.id, revocation.project, revocation.build_id, revocation.fence, revocation.attempts
