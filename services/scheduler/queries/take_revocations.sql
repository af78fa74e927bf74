-- Takes revocations that are due, and keeps others from taking them for $2. Materialized: a plan that ran the choice again for each row
-- would take more than $1.
-- $1 limit, $2 interval
with due as materialized (
  select id from grant_revocations where due_at <= now() order by due_at limit $1 for update skip locked
)
update grant_revocations revocation set attempts = revocation.attempts + 1, due_at = now() + $2::interval
from due
where revocation.id = due.id
returning revocation.id, revocation.project, revocation.build_id, revocation.fence, revocation.attempts
