-- The upload that a build is made from.
-- $1 build
select upload.id, upload.project, upload.format, upload.file_name, upload.size, upload.digest, upload.created_at
from builds build join uploads upload on upload.id = build.upload_id where build.id = $1
