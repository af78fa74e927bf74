-- The ledger: everything that was received, and what became of it. payload is a serialized davit.rules.v1.IngestEventRequest that
-- holds the headers and the push.
create table events (
    seq bigint generated always as identity primary key,
    id text not null unique check (id like 'evt\_%'),
    project text not null check (project <> '' and project <> '*'),
    kind text not null check (kind in ('webhook', 'manual')),
    state text not null check (state in ('received', 'evaluated', 'ignored')),
    connection_id text not null,
    -- The webhook, or for a manual event the rule.
    source_id text not null check (source_id <> ''),
    delivery_id text not null check (delivery_id <> ''),
    repository_key text not null,
    ref text not null,
    payload bytea not null,
    detail text not null,
    receive_time timestamptz not null default now(),
    evaluate_time timestamptz,
    constraint events_delivery_key unique (project, source_id, delivery_id),
    check (state <> 'received' or evaluate_time is null)
);
-- The evaluator's work: the oldest first, and of one ref only the oldest.
create index events_received on events (seq) where state = 'received';
create index events_received_of_ref on events (connection_id, repository_key, ref, seq) where state = 'received';
-- ListEvents.
create index events_of_project on events (project, seq);
create index events_of_repository on events (project, repository_key, seq);

alter table events enable row level security;
alter table events force row level security;
create policy events_of_project on events
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));

-- What each rule made of an event. Rules may be deleted later; the explanation stays.
create table event_explanations (
    event_id text not null references events (id) on delete cascade,
    rule_id text not null,
    project text not null,
    position integer not null check (position >= 0),
    rule_display_name text not null,
    reason integer not null check (reason between 1 and 7),
    detail text not null,
    build_id text,
    tags jsonb not null,
    primary key (event_id, rule_id)
);

alter table event_explanations enable row level security;
alter table event_explanations force row level security;
create policy event_explanations_of_project on event_explanations
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));
