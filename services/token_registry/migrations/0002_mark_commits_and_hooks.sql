-- Tokens that end soon, scopes that tokens lack, hooks that were installed through the provider's API.
alter table connections drop constraint connections_state_check;
alter table connections add constraint connections_state_check check (state in ('active', 'invalid', 'expiring'));
-- Each as 'SCOPE: what needs it'.
alter table connections add column missing_scopes text[] not null default '{}';
create index connections_token_expire_time on connections (token_expire_time) where token_expire_time is not null;

-- A managed webhook is installed at its provider by EnsureWebhook; there is one for each repository.
alter table webhooks add column managed boolean not null default false;
-- The provider's id of the hook; empty until the provider has told it.
alter table webhooks add column provider_hook_id text not null default '';
create unique index webhooks_managed on webhooks (project, connection_id, repository) where managed;

-- What a rotation of keys has yet to re-wrap is found by the key.
create index connections_sealed_key_id on connections (sealed_key_id, id);
create index registry_credentials_sealed_key_id on registry_credentials (sealed_key_id, id);
create index webhooks_sealed_key_id on webhooks (sealed_key_id, id);
