-- Asks for the tags of a build to be set.
-- $1 build, $2 project, $3 sequence, $4 image repository, $5 registry credential, $6 digest, $7 tags
with publication as (
  insert into publications (build_id, project, sequence, image_repository, registry_credential_id, digest)
  values ($1, $2, $3, $4, $5, $6) returning build_id, project
)
insert into publication_tags (build_id, tag, project)
select publication.build_id, tag, publication.project from publication, unnest($7::text[]) as tag
