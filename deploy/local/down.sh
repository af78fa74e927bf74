#!/usr/bin/env bash
# Stops everything that up.sh started, and checks that no process, mount, socket or network of it is left.
#
#   bash deploy/local/down.sh [--purge]     --purge also deletes all data below ${DAVIT_HOME:-/var/lib/davit-local}
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib/common.sh
source "$(dirname "$0")/lib/common.sh"

case "${1:-}" in
  "" | --purge) ;;
  -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "down.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
esac
if [[ ! -d "$home" ]]; then
  step "Nothing to stop: there is no $home"
  exit 0
fi

step "Stopping davit-standalone and its engines"
stop standalone 60
step "Stopping the git server"
stop git 10
if [[ -x "$bin/davit-standalone" && -d "$data" ]]; then
  # What a killed davit-standalone could not take with it.
  "$bin/davit-standalone" --data_dir="$data" --clean_up_only
fi

# Command lines that name a path below $home; grep's own is not meant.
left_processes() {
  local file
  grep -lF -- "$home/" /proc/[0-9]*/cmdline 2>/dev/null | while read -r file; do
    { tr '\0' ' ' <"$file"; } 2>/dev/null | cut -c1-160 | grep -v '^grep ' | sed "s|^|process ${file//[^0-9]/}: |" || true
  done || true
}
left="$(
  left_processes
  awk -v home="$home/" 'index($2, home) == 1 {print "mount " $2}' /proc/self/mounts
  awk -v home="$home/" 'index($8, home) == 1 {print "socket " $8}' /proc/net/unix
)"
if [[ -n "$left" ]]; then
  printf '%s\n' "$left" >&2
  fail "the above is left"
fi
if [[ "${1:-}" == --purge ]]; then
  rm -rf -- "$home"
  step "Down; $home is deleted"
else
  step "Down; nothing is left running. The data stay in $home (down.sh --purge deletes them)"
fi
