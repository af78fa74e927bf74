select count(*) as waiting, coalesce(extract(epoch from now() - min(create_time)), 0)::double precision as oldest_seconds
from build_orders
