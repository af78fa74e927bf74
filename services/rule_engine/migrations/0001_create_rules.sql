-- Build rules. spec holds the trigger, recipe, destination and tag templates as the JSON of davit.rules.v1.Rule.
create table rules (
    id text primary key check (id like 'rul\_%'),
    project text not null check (project <> '' and project <> '*'),
    display_name text not null check (char_length(display_name) between 1 and 100),
    enabled boolean not null,
    connection_id text not null check (connection_id like 'con\_%'),
    repository text not null check (repository <> ''),
    -- Lower case; what rules and events meet by.
    repository_key text not null check (repository_key = lower(repository_key)),
    -- Whether the server tells names apart by case.
    case_sensitive boolean not null,
    spec jsonb not null,
    version bigint not null check (version > 0),
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    constraint rules_display_name_key unique (project, display_name)
);
create index rules_of_repository on rules (project, connection_id, repository_key);

alter table rules enable row level security;
alter table rules force row level security;
create policy rules_of_project on rules
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));
