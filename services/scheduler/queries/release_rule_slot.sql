-- A build of a rule with a limit needs its slot no more; no row when it waits for one.
-- $1 project, $2 rule, $3 sequence
delete from rule_slots where project = $1 and rule_id = $2 and sequence = $3 returning sequence
