-- Tries a publication again later.
-- $1 build, $2 delay, $3 why
update publications set due_at = now() + $2::interval, last_error = $3 where build_id = $1
