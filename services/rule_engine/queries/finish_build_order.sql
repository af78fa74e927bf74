-- The scheduler has the build: the order leaves the outbox and its id is shown with the event.
with gone as (
    delete from build_orders where id = $1 returning rule_id, ref, commit_id, event_id
), explained as (
    update event_explanations x
    set build_id = $2
    from gone
    where x.event_id = gone.event_id and x.rule_id = gone.rule_id
), recorded as (
    update rule_builds b
    set build_id = $2
    from gone
    where b.rule_id = gone.rule_id and b.ref = gone.ref and b.commit_id = gone.commit_id and b.event_id = gone.event_id
)
select count(*) from gone
