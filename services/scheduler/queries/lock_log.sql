-- The log that a fence may append to, locked against other appends; no row when no attempt of the build has that fence.
-- $1 build, $2 fence
select attempt.attempt, attempt.project, attempt.log_size, attempt.log_expected,
       exists (select from build_leases lease
               where lease.build_id = attempt.build_id and lease.fence = attempt.fence and lease.expires_at > now()) as live
from build_attempts attempt where attempt.build_id = $1 and attempt.fence = $2
for no key update
