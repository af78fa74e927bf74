-- Builds, their attempts and their history. Builds are wide and are never scanned to claim work: see build_queue.
-- Times come from the database. State and class numbers are those of domain/build_state.h.
create table builds (
  -- Creation order; what decides which of two builds owns a moving tag.
  sequence bigint generated always as identity primary key,
  id text not null unique check (id ~ '^bld_[0-9a-z]{26}$'),
  project text not null check (project <> ''),
  -- Null when the caller chose none.
  request_id text check (request_id <> ''),
  -- Fingerprint of the request, to tell a repeated request from another one with the same id.
  request_digest bytea not null,
  pool text not null check (pool <> ''),
  priority smallint not null,
  -- The resolved davit.scheduler.v1 specification, serialized; opaque to SQL. The columns after it are what lists filter on.
  spec bytea not null,
  image_repository text not null,
  connection_id text not null default '',
  repository text not null default '',
  ref text not null default '',
  commit_id text not null default '',
  rule_id text not null default '',
  event_id text not null default '',
  upload_id text not null default '',
  registry_credential_id text not null default '',
  -- The moving tags to set; the immutable one, the id, is always set.
  tags text[] not null default '{}',
  requested_by text not null default '',
  retry_of text not null default '',
  timeout interval not null check (timeout > interval '0'),
  state smallint not null,
  phase smallint not null default 0,
  -- Grows with every change, so that a watcher knows what it has seen.
  revision bigint not null default 1,
  -- The number of the last attempt; 0 before the first.
  attempt int not null default 0,
  infrastructure_failures int not null default 0,
  -- Set while a retry waits for its time.
  not_before timestamptz,
  cancel_requested_at timestamptz,
  digest text not null default '',
  failure_class smallint not null default 0,
  failure_message text not null default '',
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  unique (project, request_id)
) with (fillfactor = 85);

create index builds_by_project on builds (project, sequence desc);
create index builds_by_upload on builds (upload_id) where upload_id <> '';
create index builds_by_rule on builds (project, rule_id, sequence desc) where rule_id <> '';
create index builds_by_repository on builds (project, repository, sequence desc) where repository <> '';

alter table builds enable row level security;
alter table builds force row level security;
create policy builds_of_project on builds
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

-- One row for each time that an agent was given the build. Row churn is one update per log append: HOT, no index on log_size.
create table build_attempts (
  build_id text not null references builds (id) on delete cascade,
  attempt int not null check (attempt > 0),
  project text not null,
  agent_id text not null,
  agent_name text not null,
  session_id text not null,
  fence bigint not null unique,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  outcome smallint not null default 0,
  message text not null default '',
  failure_class smallint not null default 0,
  log_size bigint not null default 0 check (log_size >= 0),
  -- How much log the agent wrote in all; null until it says so. The tail may still be appended when the lease has ended.
  log_expected bigint,
  primary key (build_id, attempt)
) with (fillfactor = 70);

alter table build_attempts enable row level security;
alter table build_attempts force row level security;
create policy build_attempts_of_project on build_attempts
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

-- Every change of a build's state, in order.
create table build_events (
  id bigint generated always as identity primary key,
  build_id text not null references builds (id) on delete cascade,
  project text not null,
  revision bigint not null,
  state smallint not null,
  phase smallint not null default 0,
  attempt int not null default 0,
  message text not null default '',
  created_at timestamptz not null default now()
);
create index build_events_by_build on build_events (build_id, id);

alter table build_events enable row level security;
alter table build_events force row level security;
create policy build_events_of_project on build_events
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));
