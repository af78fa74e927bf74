update build_secrets
set version = version + 1, sealed_key_id = $2, sealed_wrapped_key = $3, sealed_nonce = $4, sealed_ciphertext = $5
where id = $1
