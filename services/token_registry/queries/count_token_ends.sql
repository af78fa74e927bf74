-- How many tokens end soon, and how many have ended. $1: now, $2: how long before its end a token is worth a warning.
select count(*) filter (where token_expire_time > $1::timestamptz) as ending,
       count(*) filter (where token_expire_time <= $1::timestamptz) as ended
from connections
where token_expire_time < $1::timestamptz + $2::interval
