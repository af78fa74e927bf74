-- No row: this order is on its way already.
insert into build_orders (project, rule_id, ref, commit_id, event_id, request_id, request)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (project, request_id) do nothing
