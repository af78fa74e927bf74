-- Records what became of a build's tag.
-- $1 build, $2 tag, $3 outcome
update publication_tags set outcome = $3 where build_id = $1 and tag = $2
