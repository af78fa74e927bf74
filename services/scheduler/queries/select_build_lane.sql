-- Where a build queues.
-- $1 build
select project, pool, priority, sequence, state, rule_id from builds where id = $1
