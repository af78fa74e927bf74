-- Ends a publication; no row means that another replica has ended it.
-- $1 build
delete from publications where build_id = $1 returning build_id
