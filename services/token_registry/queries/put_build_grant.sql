-- Two grants that arrive at once: the larger fence stays.
insert into build_grants (build_id, project, fence, connection_id, repository, registry_credential_id, image_repository,
                          expire_time, secrets)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text[])
on conflict (build_id) do update
set fence = excluded.fence, connection_id = excluded.connection_id, repository = excluded.repository,
    registry_credential_id = excluded.registry_credential_id, image_repository = excluded.image_repository,
    expire_time = excluded.expire_time, secrets = excluded.secrets
where build_grants.fence < excluded.fence
