insert into webhooks (id, project, connection_id, repository, create_time,
                      sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext, managed)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
