insert into build_secrets (id, project, name, description, version, create_time, update_time,
                           sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext)
values ($1, $2, $3, $4, 1, $5, $5, $6, $7, $8, $9)
