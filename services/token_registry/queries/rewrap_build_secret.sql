-- Unless the secret was replaced meanwhile. $2: the wrapped key that was read.
update build_secrets set sealed_key_id = $3, sealed_wrapped_key = $4 where id = $1 and sealed_wrapped_key = $2
