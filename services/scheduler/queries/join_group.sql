-- A build that has not ended is a member of its group.
-- $1 project, $2 concurrency key, $3 sequence, $4 build
insert into concurrency_members (project, concurrency_key, sequence, build_id) values ($1, $2, $3, $4)
