-- Remembers which newer build ends this one; no row when it was to end already.
-- $1 build, $2 newer build
update builds set cancel_requested_at = now(), superseded_by = $2, revision = revision + 1
where id = $1 and cancel_requested_at is null
returning revision
