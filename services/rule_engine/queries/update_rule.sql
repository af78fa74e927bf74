update rules
set display_name = $3, spec = $4::jsonb, version = version + 1, update_time = now()
where project = $1 and id = $2 and version = $5
returning id, project, display_name, enabled, connection_id, repository, case_sensitive, spec::text as spec, version,
    build_number, create_time, update_time
