-- Appends to a locked log.
-- $1 build, $2 attempt, $3 offset, $4 project, $5 data
with chunk as (
  insert into build_logs (build_id, attempt, log_offset, project, data) values ($1, $2, $3, $4, $5)
  returning build_id, attempt, log_offset + octet_length(data) as size
)
update build_attempts attempt set log_size = chunk.size from chunk
where attempt.build_id = chunk.build_id and attempt.attempt = chunk.attempt
returning attempt.log_size
