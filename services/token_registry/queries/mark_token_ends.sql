-- Notes which tokens end soon, and which have ended. $1: now, $2: how long before its end a token is worth a warning; one that is
-- refreshed before it ends is not.
update connections c
set state = case when token_expire_time <= $1::timestamptz then 'invalid' else 'expiring' end,
    state_reason = case when token_expire_time <= $1::timestamptz then 'the token ended at ' else 'the token ends at ' end
                   || to_char(token_expire_time at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC; replace it'
where token_expire_time < $1::timestamptz + $2::interval
      and (state = 'active' or state = 'expiring' and token_expire_time <= $1::timestamptz)
      and (token_expire_time <= $1::timestamptz
           or not exists (select from oauth_refresh_tokens r where r.project = c.project and r.id = c.id and not r.refused))
