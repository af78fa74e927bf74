-- Stores consecutive chunks of an upload.
-- $1 upload, $2 project, $3 number of the first chunk, $4 data
insert into upload_chunks (upload_id, number, project, data)
select $1, $3::int + chunk.position - 1, $2, chunk.data from unnest($4::bytea[]) with ordinality as chunk (data, position)
