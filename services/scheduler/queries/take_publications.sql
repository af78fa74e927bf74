-- Takes publications that are due, and keeps others from taking them for $2. Materialized: a plan that ran the choice again for each
-- row would take more than $1.
-- $1 limit, $2 interval
with due as materialized (
  select build_id from publications where due_at <= now() order by due_at limit $1 for update skip locked
)
update publications publication set attempts = publication.attempts + 1, due_at = now() + $2::interval
from due
where publication.build_id = due.build_id
returning publication.build_id, publication.project, publication.sequence, publication.image_repository,
          publication.registry_credential_id, publication.digest, publication.attempts,
          extract(epoch from now() - publication.created_at)::float8 as age_seconds
