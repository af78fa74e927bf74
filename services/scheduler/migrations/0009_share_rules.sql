-- What builds of one rule do to each other: newer ones supersede older ones of their group, and at most so many run at a time. Rows of the
-- three tables are inserted and deleted, never updated, and only while the project's lane is locked.

alter table builds
  -- The normalized davit.common.v1.BuildPolicy, serialized; opaque to SQL. The columns after it are what the stores act on.
  add column policy bytea not null default '',
  -- Null: as often as the scheduler does.
  add column infrastructure_retries smallint check (infrastructure_retries between 0 and 10),
  -- Which builds are a group; empty = none.
  add column concurrency_key bytea not null default '' check (octet_length(concurrency_key) in (0, 32)),
  -- 0 = no limit of the rule.
  add column max_concurrent smallint not null default 0 check (max_concurrent between 0 and 100),
  -- The newer build that ended this one, or is about to.
  add column superseded_by text not null default '';

-- Builds that have a group and are not published or ended.
create table concurrency_members (
  project text not null,
  concurrency_key bytea not null check (octet_length(concurrency_key) = 32),
  sequence bigint not null,
  build_id text not null,
  primary key (project, concurrency_key, sequence)
);

-- Builds of rules with a limit that are in the queue, wait for their next attempt, or run: at most as many as the limit.
create table rule_slots (
  project text not null,
  rule_id text not null,
  sequence bigint not null,
  max_concurrent smallint not null,
  primary key (project, rule_id, sequence)
);

-- Builds of rules with a limit that wait for a slot; they are not in the queue.
create table rule_waits (
  project text not null,
  rule_id text not null,
  -- Smaller goes first.
  priority smallint not null,
  sequence bigint not null,
  pool text not null,
  build_id text not null,
  max_concurrent smallint not null,
  primary key (project, rule_id, priority, sequence)
);
create index rule_waits_newest on rule_waits (project, rule_id, sequence desc);

alter table concurrency_members set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
alter table rule_slots set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
alter table rule_waits set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);

alter table concurrency_members enable row level security;
alter table concurrency_members force row level security;
create policy concurrency_members_of_project on concurrency_members
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

alter table rule_slots enable row level security;
alter table rule_slots force row level security;
create policy rule_slots_of_project on rule_slots
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

alter table rule_waits enable row level security;
alter table rule_waits force row level security;
create policy rule_waits_of_project on rule_waits
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));
