-- Adds to the history of a build.
-- $1 build, $2 project, $3 revision, $4 state, $5 attempt, $6 message
insert into build_events (build_id, project, revision, state, attempt, message) values ($1, $2, $3, $4, $5, $6)
