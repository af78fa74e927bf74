-- $2: the new description, or null.
update build_secrets set description = coalesce($2, description), update_time = $3
where id = $1
returning id, project, name, description, version, create_time, update_time
