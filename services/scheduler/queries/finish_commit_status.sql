-- Ends a try. If the status is still what was told, nothing is left to tell; otherwise the newer state is due.
-- $1 connection, $2 repository, $3 commit, $4 context, $5 project, $6 build, $7 revision
update commit_statuses
set held_until = null, due_at = case when build_id = $6 and revision = $7 then null else due_at end
where (connection_id, repository, commit_id, context, project) = ($1, $2, $3, $4, $5)
