-- Records that the credentials of leases have been granted.
-- $1 builds, $2 fences
update build_leases lease set granted = true
from unnest($1::text[], $2::bigint[]) as granted (build_id, fence)
where lease.build_id = granted.build_id and lease.fence = granted.fence
