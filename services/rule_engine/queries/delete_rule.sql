delete from rules
where project = $1 and id = $2
