-- The repository that is due first, for $1; of one connection at most one every $2. Whose holder dies is due again then.
-- Materialized: a plan that ran the choice again for each row would take more than one.
with due as materialized (
    select c.project, c.connection_id, c.name_key
    from repository_watches c
    where c.next_look <= now()
        and not exists (
            select 1
            from repository_watches busy
            where busy.connection_id = c.connection_id and busy.claim_time > now() - $2::interval
        )
    order by c.next_look
    limit 1
    for update of c skip locked
)
update repository_watches w
set claim = w.claim + 1, claim_time = now(), next_look = now() + $1::interval
from due
where w.project = due.project and w.connection_id = due.connection_id and w.name_key = due.name_key
returning w.project, w.connection_id, w.name_key, w.repository, w.claim, w.look_time, w.failures
