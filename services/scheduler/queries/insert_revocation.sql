-- Asks for the grant of a lease to be revoked.
-- $1 project, $2 build, $3 fence
insert into grant_revocations (project, build_id, fence) values ($1, $2, $3)
