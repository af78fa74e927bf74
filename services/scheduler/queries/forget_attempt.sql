-- Takes back an attempt that never left the scheduler.
-- $1 build, $2 attempt
with forgotten as (delete from build_attempts where build_id = $1 and attempt = $2 returning build_id)
update builds build set attempt = build.attempt - 1 from forgotten where build.id = forgotten.build_id
