-- The rules that may concern an event. They are locked against deletion until their explanations are written.
select id, project, display_name, enabled, connection_id, repository, case_sensitive, spec::text as spec, version,
    create_time, update_time
from rules
where project = $1 and connection_id = $2 and repository_key = $3
order by id
for key share
