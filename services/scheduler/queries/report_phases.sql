-- Records the phases that agents report, where they are news.
-- $1 builds, $2 fences, $3 phases, $4 session
with changed as (
  update builds build set phase = report.phase::smallint, revision = build.revision + 1
  from unnest($1::text[], $2::bigint[], $3::int[]) as report (build_id, fence, phase)
  join build_leases lease on lease.build_id = report.build_id and lease.fence = report.fence and lease.session_id = $4
  where build.id = report.build_id and build.state = 2 and build.phase <> report.phase
  returning build.id, build.project, build.revision, build.phase, build.attempt
)
insert into build_events (build_id, project, revision, state, phase, attempt)
select id, project, revision, 2, phase, attempt from changed
returning build_id
