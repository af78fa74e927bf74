-- The chunks of a log from the one that holds an offset on.
-- $1 build, $2 attempt, $3 offset, $4 limit
select log_offset, data from build_logs
where build_id = $1 and attempt = $2
  and log_offset >= coalesce((select max(log_offset) from build_logs where build_id = $1 and attempt = $2 and log_offset <= $3), 0)
order by log_offset limit $4
