-- Rules have more ways to say no; the numbers are those of davit.rules.v1.RuleExplanation.Reason.
alter table event_explanations drop constraint event_explanations_reason_check;
alter table event_explanations add constraint event_explanations_reason_check check (reason > 0);
