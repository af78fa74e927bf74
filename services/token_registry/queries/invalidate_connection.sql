-- $3: why, $4: now.
update connections
set state = 'invalid', state_reason = $3, update_time = greatest($4::timestamptz, update_time + interval '1 microsecond')
where project = $1 and id = $2
