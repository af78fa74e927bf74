-- A lease of the lane has ended.
-- $1 pool, $2 project
update queue_lanes set running = running - 1 where pool = $1 and project = $2
