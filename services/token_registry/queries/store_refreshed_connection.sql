-- A later update_time makes updates fail that were based on the old token. $3: when the new token ends; null = never. $4: now.
update connections
set state = 'active', state_reason = '', token_expire_time = $3::timestamptz,
    update_time = greatest($4::timestamptz, update_time + interval '1 microsecond'),
    sealed_key_id = $5, sealed_wrapped_key = $6, sealed_nonce = $7, sealed_ciphertext = $8
where project = $1 and id = $2
