-- Never backwards.
update api_tokens
set last_use_time = $2
where id = $1 and (last_use_time is null or last_use_time < $2::timestamptz)
