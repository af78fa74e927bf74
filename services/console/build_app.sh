#!/usr/bin/env bash
# Builds the web app into services/console/web/dist, where Bazel finds it, unless it is there already for the same sources.
# Needs Node.js 18.20 (Debian 12's) or newer and npm; packages come from wherever npm is configured to get them.
set -euo pipefail
cd "$(dirname "$0")/web"

sources="$(find . \( -name node_modules -o -name dist \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)"
[[ "$(cat dist/.sources 2>/dev/null || true)" != "$sources" ]] || exit 0
command -v npm >/dev/null || {
  echo "build_app.sh: npm is missing; install it with Node.js: deploy/local/install_packages.sh build" >&2
  exit 1
}
sh ./build.sh dist
printf '%s\n' "$sources" >dist/.sources
