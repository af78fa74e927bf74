#!/usr/bin/env bash
# Makes a bare repository below a git server's directory (see git_server.sh), with a post-receive hook that delivers webhooks.
#
#   git_repository.sh DIRECTORY OWNER/NAME
#
# The hook does nothing until the repository's hooks/davit.json says where to deliver, and with which secret.
set -euo pipefail
repository="$1/repositories/$2.git"
here="$(dirname "$(realpath "$0")")"

git init -q --bare -b main "$repository"
git -C "$repository" config http.receivepack true
git -C "$repository" config uploadpack.allowAnySHA1InWant true
install -m 755 "$here/post_receive.py" "$repository/hooks/post-receive"
