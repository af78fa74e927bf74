-- Tries a revocation again later.
-- $1 id, $2 delay
update grant_revocations set due_at = now() + $2::interval where id = $1
