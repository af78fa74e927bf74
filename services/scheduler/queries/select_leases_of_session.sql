-- The leases of a session, live or expired.
-- $1 session
select build_id, fence, pool, project from build_leases where session_id = $1 order by fence
