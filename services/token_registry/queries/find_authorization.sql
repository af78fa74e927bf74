select id, project, state_hash, token_id, flow, connection_id, display_name, provider, base_url, redirect_uri,
       extract(epoch from poll_interval)::bigint as poll_seconds, next_poll_time, expire_time,
       sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext
from oauth_authorizations
where project = $1 and state_hash = $2
