insert into hook_releases (project, connection_id, repository_key, repository)
values ($1, $2, $3, $4)
on conflict (project, connection_id, repository_key) do update set next_attempt = now(), failures = 0
