-- The tags of a publication.
-- $1 build
select tag, outcome from publication_tags where build_id = $1 order by tag
