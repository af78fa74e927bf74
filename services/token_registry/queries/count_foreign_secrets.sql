-- How many secrets have a data key that is wrapped by another key than $1.
select (select count(*) from connections where sealed_key_id <> $1)
       + (select count(*) from registry_credentials where sealed_key_id <> $1)
       + (select count(*) from webhooks where sealed_key_id <> $1)
       + (select count(*) from oauth_refresh_tokens where sealed_key_id <> $1)
       + (select count(*) from oauth_authorizations where sealed_key_id <> $1)
       + (select count(*) from build_secrets where sealed_key_id <> $1)
