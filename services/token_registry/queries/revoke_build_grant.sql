-- Leaves a mark even when nothing was granted yet: a grant of that fence that arrives later has ended.
insert into build_grants (build_id, project, fence, revoked_fence, expire_time)
values ($1, $2, $3, $3, $4)
on conflict (build_id) do update set revoked_fence = greatest(build_grants.revoked_fence, excluded.revoked_fence)
