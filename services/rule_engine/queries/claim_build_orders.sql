-- Takes due orders for $2; of one rule and ref only the oldest. An order whose sender dies is due again after that time.
-- Materialized: a plan that ran the choice again for each row would take more than $1.
with due as materialized (
    select c.id
    from build_orders c
    where c.next_attempt <= now()
        and not exists (
            select 1
            from build_orders earlier
            where earlier.rule_id = c.rule_id and earlier.ref = c.ref and earlier.id < c.id
        )
    order by c.next_attempt
    limit $1
    for update of c skip locked
)
update build_orders o
set attempts = o.attempts + 1, next_attempt = now() + $2::interval
from due
where o.id = due.id
returning o.id, o.project, o.rule_id, o.event_id, o.request, o.attempts
