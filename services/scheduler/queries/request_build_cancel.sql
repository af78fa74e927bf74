-- Remembers that a build is to end; the first request counts.
-- $1 build
update builds set cancel_requested_at = now(), revision = revision + 1 where id = $1 and cancel_requested_at is null returning revision
