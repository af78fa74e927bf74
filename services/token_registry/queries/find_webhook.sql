-- By id alone: the gateway does not know the project of a delivery.
select w.id, w.project, w.connection_id, w.repository, w.create_time, w.managed, w.provider_hook_id, c.provider,
       w.sealed_key_id, w.sealed_wrapped_key, w.sealed_nonce, w.sealed_ciphertext
from webhooks w
join connections c on c.project = w.project and c.id = w.connection_id
where w.id = $1
