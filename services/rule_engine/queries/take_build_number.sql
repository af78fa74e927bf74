-- The rule's next build number is $3; no row: another event has just taken it.
update rules set build_number = build_number + 1 where project = $1 and id = $2 and build_number + 1 = $3 returning build_number
