-- Repositories that lost a rule: with the last one their installed webhook is removed.
create table hook_releases (
    project text not null check (project <> '' and project <> '*'),
    connection_id text not null,
    -- Lower case, as in rules.
    repository_key text not null,
    -- As the rule spelled it.
    repository text not null,
    next_attempt timestamptz not null default now(),
    -- Attempts that failed.
    failures integer not null default 0 check (failures >= 0),
    last_error text not null default '',
    primary key (project, connection_id, repository_key)
);
create index hook_releases_due on hook_releases (next_attempt);

alter table hook_releases enable row level security;
alter table hook_releases force row level security;
create policy hook_releases_of_project on hook_releases
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));
