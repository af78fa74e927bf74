-- One agent, with its builds as far as the caller may see them.
-- $1 id, $2 interval after which an agent is offline
select agents.id, agents.name, agents.labels::text as labels, agents.version, agents.slots, agents.draining or agents.drained as draining,
       agents.last_seen_at, agents.last_seen_at > now() - $2::interval as present,
       (select coalesce(json_agg(lease.build_id order by lease.fence), '[]')::text from build_leases lease
        where lease.session_id = agents.session_id) as builds
from agents where agents.id = $1
