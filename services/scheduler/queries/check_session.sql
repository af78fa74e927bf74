-- Whether a session is still that of its agent.
-- $1 agent, $2 session
select session_id = $2 as current, drained from agents where id = $1
