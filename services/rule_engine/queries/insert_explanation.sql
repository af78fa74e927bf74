insert into event_explanations (event_id, rule_id, project, position, rule_display_name, reason, detail, build_id, tags)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb)
