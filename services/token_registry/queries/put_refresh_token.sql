insert into oauth_refresh_tokens (id, project, sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext)
values ($1, $2, $3, $4, $5, $6)
on conflict (id) do update
set version = oauth_refresh_tokens.version + 1, refused = false, claim = '', claim_expire_time = null,
    sealed_key_id = excluded.sealed_key_id, sealed_wrapped_key = excluded.sealed_wrapped_key,
    sealed_nonce = excluded.sealed_nonce, sealed_ciphertext = excluded.sealed_ciphertext
