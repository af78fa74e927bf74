-- What decides about a build's next state, with its row locked. After lanes, queue and leases in the lock order.
-- $1 build
select id, project, pool, priority, sequence, state, attempt, infrastructure_failures, infrastructure_retries,
       cancel_requested_at is not null as cancel_requested, superseded_by, rule_id, concurrency_key, max_concurrent, image_repository, registry_credential_id, array_to_json(tags)::text as tags, digest
from builds where id = $1 for no key update
