-- A token that was revoked stays revoked.
insert into api_tokens (id, project, display_name, role, origin, token_hash, create_time)
values ($1, $2, $3, $4, 'bootstrap', $5, $6)
on conflict (token_hash) do update set project = excluded.project, role = excluded.role
where api_tokens.origin = 'bootstrap'
