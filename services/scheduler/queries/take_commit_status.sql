-- Takes one commit status that is due, and keeps others from telling anything of that commit and context for $1. Materialized: a plan
-- that ran the choice again for each row would take more than one.
-- $1 interval
with due as materialized (
  select connection_id, repository, commit_id, context, project from commit_statuses
  where due_at <= now() and (held_until is null or held_until <= now())
  order by due_at limit 1 for update skip locked
)
update commit_statuses status set attempts = status.attempts + 1, held_until = now() + $1::interval
from due, builds build
where (status.connection_id, status.repository, status.commit_id, status.context, status.project)
        = (due.connection_id, due.repository, due.commit_id, due.context, due.project)
      and build.id = status.build_id
returning status.project, status.connection_id, status.repository, status.commit_id, status.context, status.build_id,
          status.revision, status.state, status.attempts, extract(epoch from now() - status.changed_at) as age, build.ref, build.digest
