delete from secret_accesses where at < $1
