-- Begins an upload.
-- $1 id, $2 project, $3 format, $4 file name
insert into uploads (id, project, format, file_name) values ($1, $2, $3, $4)
