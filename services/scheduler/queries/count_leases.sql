-- Builds that agents work on in a pool, of every project that may be seen.
-- $1 pool
select count(*) as leases from build_leases where pool = $1
