-- No row: the rule has asked for a build of this ref and commit already.
insert into rule_builds (rule_id, ref, commit_id, project, event_id)
values ($1, $2, $3, $4, $5)
on conflict (rule_id, ref, commit_id) do nothing
returning rule_id
