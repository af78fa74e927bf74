update build_orders
set next_attempt = now() + $2::interval, last_error = $3
where id = $1
