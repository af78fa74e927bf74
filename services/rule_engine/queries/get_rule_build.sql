select event_id, build_id
from rule_builds
where rule_id = $1 and ref = $2 and commit_id = $3
