-- Whether a lease is live now.
-- $1 build, $2 fence
select 1 from build_leases where build_id = $1 and fence = $2 and expires_at > now()
