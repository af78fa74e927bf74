-- $2: only those of this connection, unless empty. $3: the last id of the page before, or empty.
select w.id, w.project, w.connection_id, w.repository, w.create_time, w.managed, w.provider_hook_id, c.provider
from webhooks w
join connections c on c.project = w.project and c.id = w.connection_id
where w.project = $1 and ($2 = '' or w.connection_id = $2) and ($3 = '' or w.id < $3)
order by w.id desc
limit $4
