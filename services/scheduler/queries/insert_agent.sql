-- Makes an agent when its name is new.
-- $1 id, $2 name, $3 pool
insert into agents (id, name, pool) values ($1, $2, $3) on conflict (name) do nothing
