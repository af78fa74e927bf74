-- Removes statuses that were told, or given up, and whose builds came to them more than $1 ago.
-- $1 interval, $2 limit
with old as materialized (
  select connection_id, repository, commit_id, context, project from commit_statuses
  where due_at is null and held_until is null and changed_at < now() - $1::interval
  order by changed_at limit $2 for update skip locked
)
delete from commit_statuses status using old
where (status.connection_id, status.repository, status.commit_id, status.context, status.project)
      = (old.connection_id, old.repository, old.commit_id, old.context, old.project)
