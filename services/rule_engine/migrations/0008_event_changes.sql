-- Pushes whose changed paths have to be asked for before their rules can be looked at, and what the providers answered.
create table event_changes (
    event_id text primary key references events (id) on delete cascade,
    project text not null check (project <> '' and project <> '*'),
    -- A JSON array of texts; null = not answered yet, and the event waits.
    paths jsonb,
    -- Why there may be more; empty = these are all.
    incomplete text not null default '',
    attempts integer not null default 0 check (attempts >= 0),
    next_attempt timestamptz not null default now(),
    create_time timestamptz not null default now()
);
create index event_changes_due on event_changes (next_attempt) where paths is null;

alter table event_changes enable row level security;
alter table event_changes force row level security;
create policy event_changes_of_project on event_changes
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));
