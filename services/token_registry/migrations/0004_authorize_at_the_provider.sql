-- What renews a connection's token. "sealed_*" is the refresh token.
create table oauth_refresh_tokens (
    id                 text primary key,             -- The connection's.
    project            text not null,
    version            bigint not null default 1,    -- Grows with every pair of tokens that is stored.
    refused            boolean not null default false, -- The provider has ended the grant: asking again is of no use.
    claim              text not null default '',     -- Who refreshes now; until when nobody else may.
    claim_expire_time  timestamptz,
    sealed_key_id      text not null,
    sealed_wrapped_key bytea not null,
    sealed_nonce       bytea not null,
    sealed_ciphertext  bytea not null,
    constraint oauth_refresh_tokens_connection_fkey foreign key (project, id)
        references connections (project, id) on delete cascade
);
create index oauth_refresh_tokens_sealed_key_id on oauth_refresh_tokens (sealed_key_id, id);

-- Authorizations that were begun and not finished. "sealed_*" is the PKCE verifier, or the device code.
create table oauth_authorizations (
    id                 text primary key,
    project            text not null,
    state_hash         bytea not null unique check (octet_length(state_hash) = 32),
    token_id           text not null,                -- The API token that began.
    flow               text not null check (flow in ('browser', 'device')),
    connection_id      text not null default '',     -- Empty: a new one is to be made.
    display_name       text not null default '',
    provider           text not null check (provider in ('github', 'gitlab')),
    base_url           text not null,
    redirect_uri       text not null default '',
    poll_interval      interval not null default interval '0',
    next_poll_time     timestamptz not null,
    expire_time        timestamptz not null,
    sealed_key_id      text not null,
    sealed_wrapped_key bytea not null,
    sealed_nonce       bytea not null,
    sealed_ciphertext  bytea not null
);
create index oauth_authorizations_expire_time on oauth_authorizations (expire_time);
create index oauth_authorizations_sealed_key_id on oauth_authorizations (sealed_key_id, id);

do $$
declare
    name text;
begin
    foreach name in array array['oauth_refresh_tokens', 'oauth_authorizations'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy by_project on %I using (current_setting(''davit.project'', true) in (project, ''*''))
                        with check (current_setting(''davit.project'', true) in (project, ''*''))', name);
    end loop;
end
$$;
