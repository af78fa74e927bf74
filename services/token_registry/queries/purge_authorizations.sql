delete from oauth_authorizations where expire_time < $1
