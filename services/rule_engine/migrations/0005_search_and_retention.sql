-- Searching the ledger, its retention, and warnings about rules of one image.
create index events_of_delivery on events (project, delivery_id);
create index events_by_time on events (receive_time);
create index build_orders_of_event on build_orders (event_id);
-- A column of its own: under row-level security an index on an expression with -> is not used.
alter table rules add column image_repository text generated always as (spec -> 'destination' ->> 'repository') stored;
create index rules_of_image on rules (project, image_repository);
-- A push whose webhook did not come.
alter table events drop constraint events_kind_check;
alter table events add constraint events_kind_check check (kind in ('webhook', 'manual', 'reconciled'));
