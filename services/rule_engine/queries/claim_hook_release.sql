-- The release that is due the longest, taken for $1; has_rules: the repository has rules (again).
update hook_releases h
set next_attempt = now() + $1::interval
where (h.project, h.connection_id, h.repository_key) = (
        select d.project, d.connection_id, d.repository_key
        from hook_releases d
        where d.next_attempt <= now()
        order by d.next_attempt
        limit 1
        for update skip locked)
returning h.project, h.connection_id, h.repository_key, h.repository, h.failures,
    exists (select from rules r where r.project = h.project and r.connection_id = h.connection_id
                                      and r.repository_key = h.repository_key) as has_rules
