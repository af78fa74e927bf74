select id
from events
where project = $1 and source_id = $2 and delivery_id = $3
