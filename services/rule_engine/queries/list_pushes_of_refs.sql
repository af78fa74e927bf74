-- What the ledger knows of some refs since a time, without what was triggered by hand.
select ref, payload
from events
where project = $1 and connection_id = $2 and repository_key = $3 and receive_time >= $4 and ref = any ($5::text[])
    and kind <> 'manual'
