-- Makes a build, unless its request is known already: then no row comes back.
-- $1 id, $2 project, $3 request id or null, $4 request digest, $5 pool, $6 priority, $7 spec, $8 image repository, $9 connection,
-- $10 repository, $11 ref, $12 commit, $13 rule, $14 event, $15 upload, $16 registry credential, $17 tags, $18 requested by,
-- $19 retry of, $20 timeout, $21 policy, $22 infrastructure retries or null, $23 concurrency key, $24 most builds of the rule at a time
insert into builds (id, project, request_id, request_digest, pool, priority, spec, image_repository, connection_id, repository,
                    ref, commit_id, rule_id, event_id, upload_id, registry_credential_id, tags, requested_by, retry_of, timeout, policy,
                    infrastructure_retries, concurrency_key, max_concurrent, state)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17::text[], $18, $19, $20::interval, $21, $22::smallint, $23,
        $24::smallint, 1)
on conflict (project, request_id) do nothing
returning sequence
