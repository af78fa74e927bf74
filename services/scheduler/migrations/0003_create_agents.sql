-- Agents and their sessions. They serve all projects, so their rows belong to none.

create table agents (
  id text primary key check (id ~ '^agt_[0-9a-z]{26}$'),
  name text not null unique check (name <> ''),
  pool text not null check (pool <> ''),
  -- Label names and values, as JSON text.
  labels jsonb not null default '{}',
  version text not null default '',
  slots int not null default 0 check (slots >= 0),
  free_slots int not null default 0 check (free_slots >= 0),
  -- The agent said that it shuts down.
  draining boolean not null default false,
  -- An operator said that it gets nothing new.
  drained boolean not null default false,
  -- The session that may act for the agent; a newer one replaces it.
  session_id text not null default '',
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now()
) with (fillfactor = 50);

-- Sessions that were replaced, so that a process that is stopped and continued cannot begin again.
create table superseded_sessions (
  session_id text primary key,
  agent_id text not null references agents (id) on delete cascade,
  superseded_at timestamptz not null default now()
);
create index superseded_sessions_by_agent on superseded_sessions (agent_id);
create index superseded_sessions_by_age on superseded_sessions (superseded_at);

alter table agents set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
