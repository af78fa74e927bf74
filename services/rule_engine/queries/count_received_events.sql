select count(*) as waiting, coalesce(extract(epoch from now() - min(receive_time)), 0)::double precision as oldest_seconds
from events
where state = 'received'
