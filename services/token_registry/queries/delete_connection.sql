delete from connections where project = $1 and id = $2
