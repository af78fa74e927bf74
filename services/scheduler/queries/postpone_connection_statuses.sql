-- The provider limits what is asked with a connection's token: everything that would use it waits.
-- $1 connection, $2 delay
update commit_statuses set due_at = now() + $2::interval
where connection_id = $1 and due_at < now() + $2::interval
