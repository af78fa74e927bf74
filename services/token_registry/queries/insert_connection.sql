insert into connections (id, project, display_name, provider, base_url, username, probe_repository, state, state_reason,
                         account, scopes, verify_time, token_expire_time, create_time, update_time,
                         sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext, missing_scopes, credential_kind)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
