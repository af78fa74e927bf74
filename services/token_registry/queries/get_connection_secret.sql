select sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext
from connections
where project = $1 and id = $2
