-- Lets commits show the states that these builds have come to in this transaction. What is older than what a commit shows
-- already, by build and then by change, is dropped; so is what still waits and is older. While a provider is being waited for, the new
-- state waits as well.
-- $1 builds
insert into commit_statuses (project, connection_id, repository, commit_id, context, build_id, sequence, revision, state)
select distinct on (project, connection_id, repository, commit_id, context)
       project, connection_id, repository, commit_id, context, id, sequence, revision, state
from (
  select build.*, left('davit/' || case
           when build.rule_id <> '' and build.requested_by like 'rule _%' then substr(build.requested_by, 6)
           else regexp_replace(build.image_repository, '^[^/]+/', '')
         end, 250) as context
  from builds build
  where build.id = any ($1::text[]) and build.connection_id <> '' and build.commit_id <> ''
) marked
order by project, connection_id, repository, commit_id, context, sequence desc
on conflict (connection_id, repository, commit_id, context, project) do update
set build_id = excluded.build_id, sequence = excluded.sequence, revision = excluded.revision, state = excluded.state,
    due_at = greatest(coalesce(commit_statuses.due_at, now()), now()), attempts = 0, changed_at = now()
where (commit_statuses.sequence, commit_statuses.revision) < (excluded.sequence, excluded.revision)
