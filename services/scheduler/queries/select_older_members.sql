-- The members of a group that are older than a build, oldest first; the caller holds their lane.
-- $1 project, $2 concurrency key, $3 sequence
select build_id from concurrency_members where project = $1 and concurrency_key = $2 and sequence < $3 order by sequence
