-- No row: this delivery is in the ledger already.
insert into events (id, project, kind, state, connection_id, source_id, delivery_id, repository_key, ref, payload, detail,
    evaluate_time)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, case when $4 = 'evaluated' then now() end)
on conflict (project, source_id, delivery_id) do nothing
returning id
