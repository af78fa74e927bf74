delete from build_grants where expire_time < $1
