-- No row: another replica has claimed the repository since. $5 = the next look, $6 = why this one failed, empty = it did not.
update repository_watches
set next_look = now() + $5::interval,
    look_time = case when $6 = '' then now() else look_time end,
    failures = case when $6 = '' then 0 else failures + 1 end,
    last_error = $6
where project = $1 and connection_id = $2 and name_key = $3 and claim = $4
returning claim
