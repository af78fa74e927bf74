-- The scheduler will never take it: the event says why (reason 7), and a later push of the same commit may try again.
with gone as (
    delete from build_orders where id = $1 returning rule_id, ref, commit_id, event_id
), explained as (
    update event_explanations x
    set reason = 7, detail = $2
    from gone
    where x.event_id = gone.event_id and x.rule_id = gone.rule_id
), forgotten as (
    delete from rule_builds b
    using gone
    where b.rule_id = gone.rule_id and b.ref = gone.ref and b.commit_id = gone.commit_id and b.event_id = gone.event_id
)
select count(*) from gone
