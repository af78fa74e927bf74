-- Secrets of projects, for builds by reference.
create table build_secrets (
    id                 text primary key,
    project            text not null,
    name               text not null check (name ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$'),
    description        text not null default '',
    -- Grows with every new value.
    version            bigint not null check (version > 0),
    create_time        timestamptz not null,
    update_time        timestamptz not null,
    sealed_key_id      text not null,
    sealed_wrapped_key bytea not null,
    sealed_nonce       bytea not null,
    sealed_ciphertext  bytea not null,
    constraint build_secrets_name_key unique (project, name)
);
create index build_secrets_sealed_key_id on build_secrets (sealed_key_id, id);

alter table build_secrets enable row level security;
alter table build_secrets force row level security;
create policy by_project on build_secrets
    using (current_setting('davit.project', true) in (project, '*'))
    with check (current_setting('davit.project', true) in (project, '*'));

-- Names of the secrets that the build may have.
alter table build_grants add column secrets text[] not null default '{}';
