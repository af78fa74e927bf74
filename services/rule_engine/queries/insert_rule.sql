insert into rules (id, project, display_name, enabled, connection_id, repository, repository_key, case_sensitive, spec, version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, 1)
returning id, project, display_name, enabled, connection_id, repository, case_sensitive, spec::text as spec, version,
    build_number, create_time, update_time
