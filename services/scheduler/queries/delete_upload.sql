-- Removes an upload that was not completed.
-- $1 id
delete from uploads where id = $1
