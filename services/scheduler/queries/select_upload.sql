-- A complete upload.
-- $1 id
select id, project, format, file_name, size, digest, created_at from uploads where id = $1 and complete
