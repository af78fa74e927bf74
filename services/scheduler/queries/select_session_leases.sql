-- What a session's agent is to do: its leases with their builds.
-- $1 session
select lease.build_id, lease.project, lease.attempt, lease.fence, lease.desired, lease.granted, build.spec, build.requested_by,
       build.upload_id, extract(epoch from lease.deadline_at - now())::float8 as remaining_seconds
from build_leases lease join builds build on build.id = lease.build_id
where lease.session_id = $1 and lease.expires_at > now()
order by lease.fence
