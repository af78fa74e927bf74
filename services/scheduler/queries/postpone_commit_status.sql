-- Ends a try that has to be made again; a newer state waits as well.
-- $1 connection, $2 repository, $3 commit, $4 context, $5 project, $6 delay
update commit_statuses set held_until = null, due_at = now() + $6::interval
where (connection_id, repository, commit_id, context, project) = ($1, $2, $3, $4, $5)
