-- Secrets whose data key is wrapped by another key than $1; at most $2.
select 'connections' as kind, id, project, 'token' as field, sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext
from connections where sealed_key_id <> $1
union all
select 'registry_credentials', id, project, 'password', sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext
from registry_credentials where sealed_key_id <> $1
union all
select 'webhooks', id, project, 'secret', sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext
from webhooks where sealed_key_id <> $1
union all
select 'oauth_refresh_tokens', id, project, 'refresh_token', sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext
from oauth_refresh_tokens where sealed_key_id <> $1
union all
select 'oauth_authorizations', id, project, 'verifier', sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext
from oauth_authorizations where sealed_key_id <> $1
union all
select 'build_secrets', id, project, 'value', sealed_key_id, sealed_wrapped_key, sealed_nonce, sealed_ciphertext
from build_secrets where sealed_key_id <> $1
limit $2
