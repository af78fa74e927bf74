-- The queue: measured to stay flat from 10,000 to 1,000,000 queued builds because nothing here is ranked or scanned.
-- Lock order in every transaction: queue_lanes, build_queue, build_leases, builds.

-- One lane per pool and project: how much waits, how much runs, how much may.
create table queue_lanes (
  pool text not null,
  project text not null,
  queued int not null default 0,
  running int not null default 0,
  max_running int not null check (max_running >= 0),
  weight int not null default 1 check (weight > 0),
  primary key (pool, project)
) with (fillfactor = 50);

-- Builds that may be claimed now. Rows are inserted and deleted, never updated.
create table build_queue (
  pool text not null,
  project text not null,
  -- Smaller goes first.
  priority smallint not null,
  sequence bigint not null,
  build_id text not null,
  queued_at timestamptz not null default now(),
  primary key (pool, project, priority, sequence)
);

-- Builds that wait for the time of their next attempt; moved into build_queue when it comes.
create table build_delays (
  build_id text primary key,
  pool text not null,
  project text not null,
  priority smallint not null,
  sequence bigint not null,
  not_before timestamptz not null
);
create index build_delays_due on build_delays (not_before);

-- Builds that an agent works on; as large as the fleet. expires_at is not indexed, so that renewals stay HOT.
create table build_leases (
  build_id text primary key,
  pool text not null,
  project text not null,
  priority smallint not null,
  sequence bigint not null,
  attempt int not null,
  agent_id text not null,
  session_id text not null,
  fence bigint not null,
  -- 1 = run, 2 = cancel.
  desired smallint not null default 1 check (desired in (1, 2)),
  -- The build's credentials have been granted to the holder of the fence: only then may the lease leave.
  granted boolean not null default false,
  expires_at timestamptz not null,
  -- When the attempt is ended even if its agent does not enforce the build's own time limit.
  deadline_at timestamptz not null
) with (fillfactor = 50);
create index build_leases_by_session on build_leases (session_id);

create sequence lease_fence cache 1;

alter table build_queue set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
alter table queue_lanes set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
alter table build_leases set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

-- Limits that a project has of its own; without a row the scheduler's defaults apply.
create table project_limits (
  project text primary key check (project <> ''),
  max_running int not null check (max_running >= 0),
  weight int not null default 1 check (weight > 0),
  updated_at timestamptz not null default now()
);

alter table queue_lanes enable row level security;
alter table queue_lanes force row level security;
create policy queue_lanes_of_project on queue_lanes
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

alter table build_queue enable row level security;
alter table build_queue force row level security;
create policy build_queue_of_project on build_queue
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

alter table build_delays enable row level security;
alter table build_delays force row level security;
create policy build_delays_of_project on build_delays
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

alter table build_leases enable row level security;
alter table build_leases force row level security;
create policy build_leases_of_project on build_leases
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

alter table project_limits enable row level security;
alter table project_limits force row level security;
create policy project_limits_of_project on project_limits
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));
