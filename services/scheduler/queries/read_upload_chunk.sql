-- One chunk of an upload.
-- $1 upload, $2 number
select data from upload_chunks where upload_id = $1 and number = $2
