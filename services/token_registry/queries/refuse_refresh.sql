-- Only by who holds the claim. $5: whether the grant has ended.
update oauth_refresh_tokens
set refused = $5, claim = '', claim_expire_time = null
where project = $1 and id = $2 and version = $3 and claim = $4 and claim_expire_time > now()
