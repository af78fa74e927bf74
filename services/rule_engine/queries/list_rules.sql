select id, project, display_name, enabled, connection_id, repository, case_sensitive, spec::text as spec, version,
    build_number, create_time, update_time
from rules
where project = $1
    and ($2::text = '' or connection_id = $2)
    and ($3::text = '' or repository_key = $3)
    and display_name > $4
order by display_name
limit $5
