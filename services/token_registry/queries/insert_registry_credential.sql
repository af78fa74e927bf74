insert into registry_credentials (id, project, display_name, registry, username, create_time, update_time,
                                  sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
