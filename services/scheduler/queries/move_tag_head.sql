-- Gives a locked tag to a build; the condition states the invariant that a tag never moves backwards.
-- $1 image repository, $2 tag, $3 project, $4 sequence, $5 build, $6 digest
update tag_heads set project = $3, sequence = $4, build_id = $5, digest = $6, updated_at = now()
where image_repository = $1 and tag = $2 and sequence <= $4
returning sequence
