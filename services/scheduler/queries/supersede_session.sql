-- Remembers that a session was replaced.
-- $1 session, $2 agent
insert into superseded_sessions (session_id, agent_id) values ($1, $2) on conflict do nothing
