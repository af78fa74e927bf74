-- Takes a build out of the delayed ones; no row means that it is not delayed.
-- $1 build
delete from build_delays where build_id = $1 returning build_id
