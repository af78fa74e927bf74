-- All lanes, to be reconciled one by one.
select pool, project from queue_lanes order by pool, project
