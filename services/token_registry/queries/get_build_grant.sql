select build_id, project, fence, revoked_fence, connection_id, repository, registry_credential_id, image_repository, expire_time,
       array_to_string(secrets, ' ') as secrets
from build_grants
where build_id = $1
