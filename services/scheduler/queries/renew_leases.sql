-- Renews every lease that a session reports, in one statement and without touching an index. Those that are not returned are
-- gone: superseded, expired or another's.
-- $1 session, $2 builds, $3 fences, $4 time to live
with held as (
  select lease.build_id from build_leases lease
  join unnest($2::text[], $3::bigint[]) as report (build_id, fence)
    on lease.build_id = report.build_id and lease.fence = report.fence
  where lease.session_id = $1 and lease.expires_at > now()
  order by lease.build_id
  for update of lease
)
update build_leases lease set expires_at = now() + $4::interval
from held where lease.build_id = held.build_id
returning lease.build_id, lease.fence
