-- For this transaction. The queue grows and shrinks faster than its statistics, and the outcomes begin with none: a plan that was made
-- while a table was empty would read all of it for each event, for as long as the connection keeps the plan.
select set_config('enable_seqscan', 'off', true)
