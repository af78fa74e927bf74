-- What commits are marked with at their providers: one row for each commit and context, holding the newest state of its newest
-- build. The row stays when it has been told, so that nothing older can be told after it.
create table commit_statuses (
  project text not null,
  connection_id text not null,
  repository text not null,
  commit_id text not null,
  -- Tells this status from others of the commit: the rule's name, or else the image.
  context text not null,
  -- The build that the commit shows, its state and the revision that came with it.
  build_id text not null references builds (id) on delete cascade,
  sequence bigint not null,
  revision bigint not null,
  state smallint not null,
  -- When to tell it; null = told, or given up.
  due_at timestamptz default now(),
  -- Nobody else tells anything of this commit and context until then.
  held_until timestamptz,
  -- Tries of this state.
  attempts int not null default 0,
  changed_at timestamptz not null default now(),
  primary key (connection_id, repository, commit_id, context, project)
) with (fillfactor = 70);
create index commit_statuses_due on commit_statuses (due_at) where due_at is not null;
create index commit_statuses_by_build on commit_statuses (build_id);
create index commit_statuses_by_connection on commit_statuses (connection_id) where due_at is not null;

alter table commit_statuses enable row level security;
alter table commit_statuses force row level security;
create policy commit_statuses_of_project on commit_statuses
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));
