-- Lets a build wait until its rule may run one more.
-- $1 project, $2 rule, $3 priority, $4 sequence, $5 pool, $6 build, $7 most builds of the rule at a time
insert into rule_waits (project, rule_id, priority, sequence, pool, build_id, max_concurrent) values ($1, $2, $3, $4, $5, $6, $7)
