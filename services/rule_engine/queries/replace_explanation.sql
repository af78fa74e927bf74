insert into event_explanations (event_id, rule_id, project, position, rule_display_name, reason, detail, build_id, tags)
values ($1, $2, $3, $4, $5, $6, $7, null, $8::jsonb)
on conflict (event_id, rule_id) do update
set position = excluded.position, rule_display_name = excluded.rule_display_name, reason = excluded.reason,
    detail = excluded.detail, build_id = null, tags = excluded.tags
