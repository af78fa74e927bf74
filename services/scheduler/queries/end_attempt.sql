-- Closes the record of an attempt.
-- $1 build, $2 attempt, $3 outcome, $4 failure class, $5 message, $6 bytes of log that the agent wrote, or null when it did not say
update build_attempts
set ended_at = now(), outcome = $3, failure_class = $4, message = $5, log_expected = $6
where build_id = $1 and attempt = $2
