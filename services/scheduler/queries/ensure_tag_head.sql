-- Makes the row that is locked while a tag is set, when nobody has set the tag before.
-- $1 image repository, $2 tag, $3 project
insert into tag_heads (image_repository, tag, project, sequence, build_id, digest) values ($1, $2, $3, 0, '', '')
on conflict (image_repository, tag) do nothing
