-- Takes a build out of those that wait for a slot of their rule; no row means that it does not.
-- $1 project, $2 rule, $3 priority, $4 sequence
delete from rule_waits where project = $1 and rule_id = $2 and priority = $3 and sequence = $4 returning build_id
