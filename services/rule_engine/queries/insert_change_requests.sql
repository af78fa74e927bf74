insert into event_changes (event_id, project)
select asked.event_id, asked.project
from unnest($1::text[], $2::text[]) as asked (event_id, project)
on conflict (event_id) do nothing
