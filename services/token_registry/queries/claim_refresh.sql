-- $3: the version that was read, $4: who claims, $5: for how long. By the database's clock: the replicas' need not agree.
update oauth_refresh_tokens
set claim = $4, claim_expire_time = now() + $5::interval
where project = $1 and id = $2 and version = $3 and not refused
      and (claim_expire_time is null or claim_expire_time <= now())
