-- Records the operator's wish about an agent.
-- $1 id, $2 drained
update agents set drained = $2::boolean where id = $1 returning id
