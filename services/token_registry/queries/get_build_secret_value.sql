select id, project, name, description, version, create_time, update_time,
       sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext
from build_secrets
where project = $1 and name = $2
