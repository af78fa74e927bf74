-- Log bytes as they were appended, addressed by the offset of their first byte. The stored size is in build_attempts.

create table build_logs (
  build_id text not null,
  attempt int not null,
  -- Offset of the chunk's first byte; chunks of an attempt neither overlap nor leave a gap.
  log_offset bigint not null check (log_offset >= 0),
  project text not null,
  data bytea not null check (octet_length(data) > 0),
  primary key (build_id, attempt, log_offset),
  foreign key (build_id, attempt) references build_attempts (build_id, attempt) on delete cascade
);
-- Chunks are compressed when that helps, and live out of line.
alter table build_logs alter column data set compression lz4;

alter table build_logs enable row level security;
alter table build_logs force row level security;
create policy build_logs_of_project on build_logs
  using (current_setting('davit.project', true) in (project, '*'))
  with check (current_setting('davit.project', true) in (project, '*'));
