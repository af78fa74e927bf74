-- Connections whose token ends before $1 and can be refreshed; at most $2, those that end first.
select c.id, c.project, c.display_name, c.provider, c.base_url, c.username, c.probe_repository, c.credential_kind, c.state,
       c.state_reason, c.account, array_to_string(c.scopes, ' ') as scopes,
       array_to_string(c.missing_scopes, E'\n') as missing_scopes, c.verify_time, c.token_expire_time, c.create_time,
       c.update_time, true as renews
from connections c
join oauth_refresh_tokens r on r.project = c.project and r.id = c.id and not r.refused
where c.token_expire_time < $1
order by c.token_expire_time
limit $2
