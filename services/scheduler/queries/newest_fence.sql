-- The fence of a build's last attempt.
-- $1 build
select fence from build_attempts where build_id = $1 order by attempt desc limit 1
