#!/usr/bin/env bash
# Brings Davit up on this machine and shows its main job on real input: a git push over HTTP becomes an image in a registry.
#
#   bash deploy/local/up.sh [--once]
#
# Installs the Debian packages that are missing, builds, starts davit-standalone (with a private PostgreSQL, registry and BuildKit) and
# a git server with token authentication, registers a connection, a rule and a webhook, pushes the sample repository, and follows the build to
# its image. When Davit is up already it just pushes again. --once also verifies the image (pulls, unpacks and runs it) and stops
# everything; exit code 0 or 1.
#
# State is kept below ${DAVIT_HOME:-/var/lib/davit-local}; DAVIT_LISTEN, DAVIT_WEBHOOK_LISTEN, DAVIT_CONSOLE_LISTEN and
# DAVIT_REGISTRY_LISTEN change the addresses (127.0.0.1:7080, :7081, :7082 and :5000).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "$(dirname "$0")/lib/common.sh"

once=""
case "${1:-}" in
  "") ;;
  --once) once=1 ;;
  -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "up.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
esac
((EUID == 0)) || fail "up.sh starts a private Docker engine and needs root: sudo bash deploy/local/up.sh"

here="$root/deploy/local"
listen="${DAVIT_LISTEN:-127.0.0.1:7080}"
webhook_listen="${DAVIT_WEBHOOK_LISTEN:-127.0.0.1:7081}"
console_listen="${DAVIT_CONSOLE_LISTEN:-127.0.0.1:7082}"
repository=team/hello

# shellcheck source-path=SCRIPTDIR source=lib/tour.sh
source "$here/lib/tour.sh"

if [[ -n "$once" ]]; then
  finish_once() {
    local status=$?
    trap - EXIT
    ((status == 0)) || tail -n 20 "$home/log/standalone.log" >&2 || true
    bash "$here/down.sh" || status=1
    exit "$status"
  }
  trap finish_once EXIT
fi

step "Packages"
bash "$here/install_packages.sh" build run
mkdir -p "$home"
chmod 711 "$home"
mkdir -p "$home/log" "$bin" "$tour"
build_programs

pushing_at="${EPOCHREALTIME/./}"
start_everything
register_once
push_sample
follow_build
step "From start to the image: $(((${EPOCHREALTIME/./} - pushing_at) / 100000 / 10)).$(((${EPOCHREALTIME/./} - pushing_at) / 100000 % 10)) s"

if [[ -n "$once" ]]; then
  verify_image
  step "Verified: the program in the image prints the pushed commit"
else
  say_what_next
fi
