-- Asks the holder of a build's lease to stop; no row means that nobody holds it.
-- $1 build
update build_leases set desired = 2 where build_id = $1 returning fence
