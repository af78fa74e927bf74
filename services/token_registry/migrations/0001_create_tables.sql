-- Source connections with their sealed token. "sealed_*" are the parts of libs/crypto/envelope.h's SealedSecret.
create table connections (
    id                 text primary key,
    project            text not null,
    display_name       text not null check (char_length(display_name) between 1 and 100),
    provider           text not null check (provider in ('github', 'gitlab', 'generic_git')),
    base_url           text not null,
    username           text not null,
    probe_repository   text not null default '',
    state              text not null check (state in ('active', 'invalid')),
    state_reason       text not null default '',
    account            text not null default '',
    scopes             text[] not null default '{}',
    verify_time        timestamptz,
    token_expire_time  timestamptz,
    create_time        timestamptz not null,
    update_time        timestamptz not null,
    sealed_key_id      text not null,
    sealed_wrapped_key bytea not null,
    sealed_nonce       bytea not null,
    sealed_ciphertext  bytea not null,
    constraint connections_display_name_key unique (project, display_name),
    unique (project, id)
);

create table registry_credentials (
    id                 text primary key,
    project            text not null,
    display_name       text not null check (char_length(display_name) between 1 and 100),
    registry           text not null,
    username           text not null default '',
    create_time        timestamptz not null,
    update_time        timestamptz not null,
    sealed_key_id      text not null,
    sealed_wrapped_key bytea not null,
    sealed_nonce       bytea not null,
    sealed_ciphertext  bytea not null,
    constraint registry_credentials_display_name_key unique (project, display_name)
);

create table webhooks (
    id                 text primary key,
    project            text not null,
    connection_id      text not null,
    repository         text not null default '',
    create_time        timestamptz not null,
    sealed_key_id      text not null,
    sealed_wrapped_key bytea not null,
    sealed_nonce       bytea not null,
    sealed_ciphertext  bytea not null,
    constraint webhooks_connection_fkey foreign key (project, connection_id)
        references connections (project, id) on delete cascade
);
create index webhooks_connection on webhooks (project, connection_id);

-- Only hashes of tokens. The project '*' stands for all.
create table api_tokens (
    id            text primary key,
    project       text not null,
    display_name  text not null check (char_length(display_name) between 1 and 100),
    role          text not null check (role in ('viewer', 'developer', 'admin', 'agent', 'gateway', 'rule-engine',
                                                'scheduler', 'console')),
    origin        text not null check (origin in ('api', 'bootstrap')),
    token_hash    bytea not null unique check (octet_length(token_hash) = 32),
    create_time   timestamptz not null,
    expire_time   timestamptz,
    revoke_time   timestamptz,
    last_use_time timestamptz
);
create index api_tokens_project on api_tokens (project, id);

-- What the holder of (build, fence) may be issued: one row a build, of its largest fence. Everything up to revoked_fence has
-- ended, also a grant that arrives after its revocation.
create table build_grants (
    build_id               text primary key,
    project                text not null,
    fence                  bigint not null check (fence > 0),
    revoked_fence          bigint not null default 0 check (revoked_fence >= 0),
    connection_id          text not null default '',
    repository             text not null default '',
    registry_credential_id text not null default '',
    image_repository       text not null default '',
    expire_time            timestamptz not null
);
create index build_grants_expire_time on build_grants (expire_time);

-- Every time a secret was opened: who, which one, for what.
create table secret_accesses (
    id        bigint generated always as identity primary key,
    at        timestamptz not null,
    project   text not null,
    token_id  text not null,
    request   text not null,
    record_id text not null,
    field     text not null,
    purpose   text not null,
    build_id  text not null default ''
);
create index secret_accesses_record on secret_accesses (record_id, at);
create index secret_accesses_at on secret_accesses (at);

-- Row-level security: the application sees the rows of the project that its transaction is confined to.
do $$
declare
    name text;
begin
    foreach name in array array['connections', 'registry_credentials', 'webhooks', 'api_tokens', 'build_grants',
                                'secret_accesses'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
    end loop;
    foreach name in array array['connections', 'registry_credentials', 'webhooks', 'api_tokens', 'build_grants'] loop
        execute format('create policy by_project on %I using (current_setting(''davit.project'', true) in (project, ''*''))
                        with check (current_setting(''davit.project'', true) in (project, ''*''))', name);
    end loop;
end
$$;

-- The log of accesses can be written and read, not changed; what is old enough may be removed.
create policy read_by_project on secret_accesses for select
    using (current_setting('davit.project', true) in (project, '*'));
create policy append_by_project on secret_accesses for insert
    with check (current_setting('davit.project', true) in (project, '*'));
create policy remove_when_old on secret_accesses for delete
    using (current_setting('davit.project', true) = '*' and at < now() - interval '90 days');
