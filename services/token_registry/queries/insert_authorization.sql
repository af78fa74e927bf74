insert into oauth_authorizations (id, project, state_hash, token_id, flow, connection_id, display_name, provider, base_url,
                                  redirect_uri, poll_interval, next_poll_time, expire_time,
                                  sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
