update connections
set sealed_key_id = $3, sealed_wrapped_key = $4, sealed_nonce = $5, sealed_ciphertext = $6
where project = $1 and id = $2
