select id, project, display_name, enabled, connection_id, repository, case_sensitive, spec::text as spec, version,
    build_number, create_time, update_time
from rules
where project = $1 and id = $2
