-- Unless another pair was stored since version $3 was read. A refresh token that the provider did not replace stays ($4 null).
update oauth_refresh_tokens
set version = version + 1, claim = '', claim_expire_time = null,
    sealed_key_id = coalesce($4::text, sealed_key_id), sealed_wrapped_key = coalesce($5::bytea, sealed_wrapped_key),
    sealed_nonce = coalesce($6::bytea, sealed_nonce), sealed_ciphertext = coalesce($7::bytea, sealed_ciphertext)
where project = $1 and id = $2 and version = $3
