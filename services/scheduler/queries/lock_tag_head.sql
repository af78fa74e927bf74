-- Whom a tag belongs to, locked until the transaction ends.
-- $1 image repository, $2 tag
select sequence, build_id, digest from tag_heads where image_repository = $1 and tag = $2 for no key update
