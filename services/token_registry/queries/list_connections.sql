select c.id, c.project, c.display_name, c.provider, c.base_url, c.username, c.probe_repository, c.credential_kind, c.state, c.state_reason, c.account,
       array_to_string(c.scopes, ' ') as scopes, array_to_string(c.missing_scopes, E'\n') as missing_scopes,
        c.verify_time, c.token_expire_time, c.create_time, c.update_time,
       exists (select from oauth_refresh_tokens r where r.project = c.project and r.id = c.id and not r.refused) as renews
from connections c
where c.project = $1 and c.display_name > $2
order by c.display_name
limit $3
