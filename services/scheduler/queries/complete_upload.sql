-- Ends an upload.
-- $1 upload, $2 size, $3 digest
update uploads set complete = true, size = $2, digest = $3 where id = $1
returning id, project, format, file_name, size, digest, created_at
