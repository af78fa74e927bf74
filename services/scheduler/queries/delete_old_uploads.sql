-- Removes uploads older than $1 that no build needs any more.
-- $1 interval, $2 limit
delete from uploads where id in (
  select upload.id from uploads upload
  where upload.created_at < now() - $1::interval
    and not exists (select from builds build where build.upload_id = upload.id and build.upload_id <> '' and build.state in (1, 2, 3, 9))
  order by upload.created_at limit $2)
returning id
