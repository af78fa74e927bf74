-- $9 is the update_time that the change was based on.
update connections
set display_name = $3, username = $4, probe_repository = $5, state = $6, state_reason = $7, update_time = $8,
    account = $10, scopes = $11, verify_time = $12, token_expire_time = $13, missing_scopes = $14,
    credential_kind = $15
where project = $1 and id = $2 and update_time = $9
