-- Whether a session holds a live lease.
-- $1 build, $2 fence, $3 session
select 1 from build_leases where build_id = $1 and fence = $2 and session_id = $3 and expires_at > now()
