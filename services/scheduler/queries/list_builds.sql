-- A page of a project's builds, newest first.
-- $1 project, $2 states or null, $3 repository or '', $4 rule or '', $5 before this sequence, $6 limit
select build.sequence, build.id, build.project, build.request_id, build.request_digest, build.spec, build.policy, build.rule_id, build.event_id, build.requested_by,
       build.retry_of, build.superseded_by, build.state, build.phase, build.revision, build.attempt, build.infrastructure_failures, build.not_before,
       build.cancel_requested_at, build.digest, build.failure_class, build.failure_message, build.created_at, build.started_at, build.finished_at,
       array_to_json(build.tags)::text as tags,
       (select coalesce(json_object_agg(result.tag, result.outcome), '{}')::text from publication_tags result
        where result.build_id = build.id and result.outcome <> 0) as tag_outcomes
from builds build
where build.project = $1 and build.sequence < $5
  and ($2::int[] is null or build.state = any ($2::int[]))
  and ($3 = '' or build.repository = $3) and ($4 = '' or build.rule_id = $4)
order by build.sequence desc limit $6
