-- Unless another call asked meanwhile: $3 is the next_poll_time that was read.
update oauth_authorizations
set poll_interval = $4, next_poll_time = $5
where project = $1 and id = $2 and next_poll_time = $3
