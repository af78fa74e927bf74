-- Repositories whose refs are compared with the ledger: those with an enabled rule that pushes trigger.
create table repository_watches (
    project text not null check (project <> '' and project <> '*'),
    connection_id text not null,
    -- The repository's name; in lower case where the server does not tell case apart.
    name_key text not null check (name_key <> ''),
    -- The same as a rule spells it.
    repository text not null,
    -- Null: never looked at; the first look only records the heads.
    look_time timestamptz,
    next_look timestamptz not null default now(),
    -- Grows with each claim; who holds an older one changes nothing.
    claim bigint not null default 0,
    claim_time timestamptz not null default '-infinity',
    -- Looks that failed since the last that did not.
    failures integer not null default 0 check (failures >= 0),
    last_error text not null default '',
    primary key (project, connection_id, name_key)
);
create index repository_watches_due on repository_watches (next_look);
create index repository_watches_of_connection on repository_watches (connection_id, claim_time);

alter table repository_watches enable row level security;
alter table repository_watches force row level security;
create policy repository_watches_of_project on repository_watches
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));

-- Where the refs of a watched repository are known to have pointed.
create table watched_heads (
    project text not null,
    connection_id text not null,
    name_key text not null,
    ref text not null,
    -- Empty: the ref is new.
    commit_id text not null,
    -- Where the ref points now although no event has said so; empty = nowhere else.
    pending_commit text not null,
    pending_since timestamptz,
    primary key (project, connection_id, name_key, ref),
    foreign key (project, connection_id, name_key) references repository_watches on delete cascade,
    check ((pending_commit = '') = (pending_since is null))
);

alter table watched_heads enable row level security;
alter table watched_heads force row level security;
create policy watched_heads_of_project on watched_heads
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));
