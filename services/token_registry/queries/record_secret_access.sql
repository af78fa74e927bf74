insert into secret_accesses (at, project, token_id, request, record_id, field, purpose, build_id)
values ($1, $2, $3, $4, $5, $6, $7, $8)
