-- The rules that may concern events of these repositories. They are locked against deletion until their explanations are written.
select r.id, r.project, r.display_name, r.enabled, r.connection_id, r.repository, r.repository_key, r.case_sensitive,
    r.spec::text as spec, r.version, r.build_number, r.create_time, r.update_time
from unnest($1::text[], $2::text[], $3::text[]) as wanted (project, connection_id, repository_key)
join rules r
    on r.project = wanted.project
        and r.connection_id = wanted.connection_id
        and r.repository_key = wanted.repository_key
order by r.id
for key share of r
