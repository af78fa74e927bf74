-- The builds that rules have asked for: at most one per rule, ref and commit, whatever is delivered how often.
create table rule_builds (
    rule_id text not null references rules (id) on delete cascade,
    ref text not null,
    commit_id text not null,
    project text not null,
    event_id text not null,
    -- Null until the scheduler has it.
    build_id text,
    create_time timestamptz not null default now(),
    primary key (rule_id, ref, commit_id)
);

alter table rule_builds enable row level security;
alter table rule_builds force row level security;
create policy rule_builds_of_project on rule_builds
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));

-- The outbox: orders that the scheduler does not have for certain. Rows of one rule and ref leave in the order of their ids,
-- because the scheduler moves tags in the order in which builds come to it.
create table build_orders (
    id bigint generated always as identity primary key,
    project text not null,
    rule_id text not null,
    ref text not null,
    commit_id text not null,
    event_id text not null,
    request_id text not null,
    -- A serialized davit.scheduler.v1.CreateBuildRequest.
    request bytea not null,
    attempts integer not null default 0 check (attempts >= 0),
    next_attempt timestamptz not null default now(),
    last_error text not null default '',
    create_time timestamptz not null default now(),
    constraint build_orders_request_key unique (project, request_id)
);
create index build_orders_due on build_orders (next_attempt);
create index build_orders_of_ref on build_orders (rule_id, ref, id);

alter table build_orders enable row level security;
alter table build_orders force row level security;
create policy build_orders_of_project on build_orders
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));
