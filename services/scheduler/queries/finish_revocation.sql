-- Ends a revocation.
-- $1 id
delete from grant_revocations where id = $1
