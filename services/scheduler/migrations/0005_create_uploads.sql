-- Uploaded build contexts, in chunks of 256 KiB (the last may be shorter).

create table uploads (
  id text primary key check (id ~ '^upl_[0-9a-z]{26}$'),
  project text not null check (project <> ''),
  -- davit.scheduler.v1.UploadFormat.
  format smallint not null,
  file_name text not null default '',
  size bigint not null default 0 check (size >= 0),
  -- 'sha256:' and the hash of all bytes; empty until the upload is complete.
  digest text not null default '',
  complete boolean not null default false,
  created_at timestamptz not null default now()
);
create index uploads_by_age on uploads (created_at);

create table upload_chunks (
  upload_id text not null references uploads (id) on delete cascade,
  number int not null check (number >= 0),
  project text not null,
  data bytea not null check (octet_length(data) between 1 and 262144),
  primary key (upload_id, number)
);
-- Archives are compressed already.
alter table upload_chunks alter column data set storage external;

alter table uploads enable row level security;
alter table uploads force row level security;
create policy uploads_of_project on uploads
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));

alter table upload_chunks enable row level security;
alter table upload_chunks force row level security;
create policy upload_chunks_of_project on upload_chunks
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));
