update rules
set enabled = $3,
    version = version + (enabled is distinct from $3)::integer,
    update_time = case when enabled is distinct from $3 then now() else update_time end
where project = $1 and id = $2
returning id, project, display_name, enabled, connection_id, repository, case_sensitive, spec::text as spec, version,
    build_number, create_time, update_time
