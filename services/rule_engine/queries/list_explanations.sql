-- An event that came after the build was asked for (reason 5) shows the build as soon as it is known.
select x.rule_id, x.rule_display_name, x.reason, x.detail, coalesce(x.build_id, b.build_id) as build_id, x.tags::text as tags
from event_explanations x
join events e on e.id = x.event_id
left join rule_builds b
    on x.reason = 5 and b.rule_id = x.rule_id and b.ref = e.ref and b.commit_id = $3
where x.project = $1 and x.event_id = $2
order by x.position
