-- What remains to be done outside the database after a build: tags to set, grants to revoke. Each row is worked off until it
-- succeeds; due_at is pushed into the future by the one who works on it, so that a crash delays and loses nothing.

-- Builds whose tags are being set.
create table publications (
  build_id text primary key references builds (id) on delete cascade,
  project text not null,
  sequence bigint not null,
  image_repository text not null,
  registry_credential_id text not null default '',
  digest text not null,
  attempts int not null default 0,
  due_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  last_error text not null default ''
);
create index publications_due on publications (due_at);

-- The tags of a publication and what became of each: 0 = to be set, 1 = set, 2 = a newer build owns it.
create table publication_tags (
  build_id text not null references builds (id) on delete cascade,
  tag text not null,
  project text not null,
  outcome smallint not null default 0 check (outcome in (0, 1, 2)),
  primary key (build_id, tag)
);

-- Which build a tag belongs to. The row is locked while the tag is set in the registry; the sequence never gets smaller.
create table tag_heads (
  image_repository text not null,
  tag text not null,
  project text not null,
  sequence bigint not null,
  build_id text not null,
  digest text not null,
  updated_at timestamptz not null default now(),
  primary key (image_repository, tag)
) with (fillfactor = 85);

-- Grants of build credentials that must end.
create table grant_revocations (
  id bigint generated always as identity primary key,
  project text not null,
  build_id text not null,
  fence bigint not null,
  attempts int not null default 0,
  due_at timestamptz not null default now()
);
create index grant_revocations_due on grant_revocations (due_at);

alter table publications enable row level security;
alter table publications force row level security;
create policy publications_of_project on publications
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

alter table publication_tags enable row level security;
alter table publication_tags force row level security;
create policy publication_tags_of_project on publication_tags
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

alter table tag_heads enable row level security;
alter table tag_heads force row level security;
create policy tag_heads_of_project on tag_heads
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

alter table grant_revocations enable row level security;
alter table grant_revocations force row level security;
create policy grant_revocations_of_project on grant_revocations
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));
