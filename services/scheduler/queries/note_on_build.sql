-- Adds a remark to the history of a build, whose state stays.
-- $1 build, $2 message
with noted as (
  update builds set revision = revision + 1 where id = $1 returning id, project, revision, state, phase, attempt
)
insert into build_events (build_id, project, revision, state, phase, attempt, message)
select id, project, revision, state, phase, attempt, $2 from noted
