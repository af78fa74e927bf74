-- Ends a lease if the fence is still that of its holder; no row means that the lease is stale.
-- $1 build, $2 fence
delete from build_leases where build_id = $1 and fence = $2
returning pool, project, priority, sequence, attempt, agent_id, session_id, desired
