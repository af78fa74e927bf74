-- How many tokens end soon and are not refreshed, and how many have ended. $1: now, $2: how long before its end a token is worth a
-- warning.
select count(*) filter (where c.token_expire_time > $1::timestamptz and r.id is null) as ending,
       count(*) filter (where c.token_expire_time <= $1::timestamptz) as ended
from connections c
left join oauth_refresh_tokens r on r.project = c.project and r.id = c.id and not r.refused
where c.token_expire_time < $1::timestamptz + $2::interval
