-- Several events of one project, in the order in which they came; returns those that were stored. The deliveries of the
-- others are in the ledger already. What was received is queued.
with stored as (
    insert into events (id, project, kind, state, connection_id, source_id, delivery_id, repository_key, ref, payload, detail,
        evaluate_time)
    select given.id, $1, given.kind, given.state, given.connection_id, given.source_id, given.delivery_id, given.repository_key,
        given.ref, given.payload, given.detail, case when given.state = 'evaluated' then now() end
    from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bytea[],
            $11::text[])
        with ordinality
        as given (id, kind, state, connection_id, source_id, delivery_id, repository_key, ref, payload, detail, place)
    order by given.place
    on conflict (project, delivery_id, source_id) do nothing
    returning seq, id, state, receive_time, connection_id, repository_key, ref
), queued as (
    insert into event_queue (seq, event_id, project, lane)
    select seq, id, $1, event_lane(connection_id, repository_key, ref)
    from stored
    where state = 'queued'
)
select id, receive_time from stored
