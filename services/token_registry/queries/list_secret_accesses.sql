-- $2 and $3: only those of this record and for this build, unless empty. $4: the last number of the page before; 0 = from the newest.
select id, at, project, token_id, request, record_id, field, purpose, build_id
from secret_accesses
where project = $1 and ($2 = '' or record_id = $2) and ($3 = '' or build_id = $3) and ($4::bigint = 0 or id < $4::bigint)
order by id desc
limit $5
