-- An agent by its name, with its row locked: one call of an agent at a time decides about its session.
-- $1 name, $2 session
select agents.id, agents.session_id, agents.drained,
       exists (select from superseded_sessions old where old.session_id = $2) as was_replaced
from agents where name = $1 for no key update
