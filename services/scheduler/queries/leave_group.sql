-- $1 project, $2 concurrency key, $3 sequence
delete from concurrency_members where project = $1 and concurrency_key = $2 and sequence = $3
