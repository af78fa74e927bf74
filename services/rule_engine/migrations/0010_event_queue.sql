-- The ledger's events are written once and never changed: what waits to be evaluated is in a small queue, and what became of an event in
-- a row of its own.
--
-- Locks and time: the new unique index reads the whole of events and sorts its keys (about ten seconds for ten million events); events are
-- locked meanwhile, deliveries wait or are tried again by the gateway. All else changes the catalogue only, no row is moved: states and
-- details of events that were evaluated before stay where they are, and the evaluator takes over those that wait.

-- What events of one ref have in common: the queue keeps them in order. Two refs with the same number merely wait for each other.
create function event_lane(connection_id text, repository_key text, ref text) returns bigint
    language sql immutable parallel safe
    return hashtextextended(connection_id || ' ' || repository_key || ' ' || ref, 0);

-- Inserted with the event, deleted with its outcome.
create table event_queue (
    -- The event's place in the ledger.
    seq bigint primary key,
    event_id text not null,
    project text not null,
    lane bigint not null
);
-- Of one ref only the oldest is evaluated.
create index event_queue_of_lane on event_queue (lane, seq);
-- Every row is deleted soon: without this the claim would pass by ever more dead ones.
alter table event_queue set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0);

alter table event_queue enable row level security;
alter table event_queue force row level security;
create policy event_queue_of_project on event_queue
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));

-- What became of an event that was queued, or replayed: counts for more than events.state, detail and evaluate_time.
create table event_outcomes (
    event_id text primary key,
    project text not null,
    state text not null,
    detail text not null,
    evaluate_time timestamptz not null default now()
);

alter table event_outcomes enable row level security;
alter table event_outcomes force row level security;
create policy event_outcomes_of_project on event_outcomes
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));

-- 'queued': the queue and event_outcomes say how far it is. 'received' is what the former version writes; as long as one of its replicas
-- runs, either version may evaluate such an event, and the index finds them (queries/queue_received_events.sql).
-- The service checks what it stores: PostgreSQL would read the text of each check anew for every statement.
alter table events
    drop constraint events_id_check,
    drop constraint events_project_check,
    drop constraint events_kind_check,
    drop constraint events_state_check,
    drop constraint events_source_id_check,
    drop constraint events_delivery_id_check,
    drop constraint events_check,
    drop constraint events_pkey;
drop index events_received_of_ref;

-- Also finds the deliveries of any source.
alter table events drop constraint events_delivery_key;
alter table events add constraint events_delivery_key unique (project, delivery_id, source_id);
drop index events_of_delivery;

-- Ids begin with the time: retention goes by them.
drop index events_by_time;

-- Retention removes them with the event; a check for each new row would lock the event's.
alter table event_explanations drop constraint event_explanations_event_id_fkey;
alter table event_changes drop constraint event_changes_event_id_fkey;
