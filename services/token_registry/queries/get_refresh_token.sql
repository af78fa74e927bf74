select version, refused, sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext
from oauth_refresh_tokens
where project = $1 and id = $2
