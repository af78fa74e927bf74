delete from oauth_authorizations where project = $1 and id = $2
