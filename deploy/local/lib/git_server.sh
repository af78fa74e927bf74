#!/usr/bin/env bash
# A git server over HTTP with token authentication: lighttpd in front of git http-backend, on 127.0.0.1. For the local tour and for
# tests. Runs in the foreground until it is stopped by a signal.
#
#   git_server.sh DIRECTORY PORT     serves DIRECTORY/repositories; user `git`, the token is the first line of DIRECTORY/token
set -euo pipefail
directory="$(realpath "$1")"
port="$2"

mkdir -p "$directory/repositories"
# The token goes through a pipe: a command line can be read by everyone.
(umask 077 && head -n 1 "$directory/token" | tr -d '\n' | htpasswd -niB -C 4 git | head -n 1 >"$directory/htpasswd")
cat >"$directory/lighttpd.conf" <<CONF
server.modules = ("mod_auth", "mod_authn_file", "mod_setenv", "mod_alias", "mod_cgi")
server.document-root = "$directory/repositories"
server.bind = "127.0.0.1"
server.port = $port
server.errorlog = "$directory/error.log"
server.upload-dirs = ("$directory")
server.stream-request-body = 0
auth.backend = "htpasswd"
auth.backend.htpasswd.userfile = "$directory/htpasswd"
auth.require = ("/" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))
# Programs that the server starts do not get to see the token.
setenv.set-request-header = ("Authorization" => "")
alias.url = ("/" => "/usr/lib/git-core/git-http-backend/")
cgi.assign = ("" => "")
setenv.add-environment = (
  "GIT_PROJECT_ROOT" => "$directory/repositories", "GIT_HTTP_EXPORT_ALL" => "1", "PATH" => "/usr/bin:/bin",
  "GIT_CONFIG_COUNT" => "1", "GIT_CONFIG_KEY_0" => "safe.directory", "GIT_CONFIG_VALUE_0" => "*"
)
CONF
exec lighttpd -D -f "$directory/lighttpd.conf"
