-- Watches what has an enabled rule with a branch or tag pattern, and nothing else; returns how many are watched.
with wanted as (
    select project, connection_id, case when case_sensitive then repository else repository_key end as name_key,
        min(repository) as repository
    from rules
    where enabled and coalesce(spec #> '{trigger,branches,0}', spec #> '{trigger,tags,0}') is not null
    group by 1, 2, 3
), removed as (
    delete from repository_watches w
    where not exists (
        select 1
        from wanted
        where wanted.project = w.project and wanted.connection_id = w.connection_id and wanted.name_key = w.name_key
    )
), added as (
    insert into repository_watches (project, connection_id, name_key, repository)
    select project, connection_id, name_key, repository
    from wanted
    on conflict do nothing
)
select count(*) as watches from wanted
