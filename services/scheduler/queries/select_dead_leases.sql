-- Leases that ended without their agent: expired, or past the time limit with its margin. The fleet bounds the table.
-- $1 limit
select pool, project from build_leases
where expires_at <= now() or deadline_at <= now()
order by fence limit $1
