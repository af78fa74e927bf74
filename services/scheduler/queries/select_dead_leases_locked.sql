-- The same leases as select_dead_leases, locked; those that somebody else works on are left out.
-- $1 limit
select lease.build_id, lease.fence, lease.pool, lease.project, lease.expires_at <= now() as expired,
       extract(epoch from build.timeout)::float8 as timeout_seconds
from build_leases lease join builds build on build.id = lease.build_id
where lease.expires_at <= now() or lease.deadline_at <= now()
order by lease.fence limit $1 for update of lease skip locked
