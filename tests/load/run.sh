#!/usr/bin/env bash
# Runs the load figures: `bash tests/load/run.sh [name]`. A figure prints `name value bound ok|short`, its parts as lines
# that begin with #; the exit code is 1 when one is short. Needs root (a private Docker engine) and tmpfs at /dev/shm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

known=(context webhooks matching)

# A new commit's way into BuildKit, as a share of the time of `git clone --depth 1`. A clone's time grows with the bytes, ours with the
# files: beside the figure, for files with the sizes of a source tree (5 KB on average), a comment says what it is for small ones (2 KB).
context() {
  bazel build //tests/load:context_load >&2
  local status=0
  context_of source || status=1
  context_of small | sed 's/^[# ]*/# small files: /' || true
  return "$status"
}

context_of() {
  local files=20000 commits=5000 cache repository
  # Generating takes some ten seconds, so that the repository is kept for the next run.
  cache="/dev/shm/davit-load-$(id -u)"
  repository="$cache/context-v3-$1-$files-$commits.git"
  mkdir -p "$cache"
  python3 tests/load/generate_repository.py "$repository" --files "$files" --commits "$commits" --sizes "$1"
  "$(bazel info bazel-bin 2> /dev/null)/tests/load/context_load" \
    --repository="$repository" --changed_file=src/part07/module007/file00007.txt
}

# Verified, durable deliveries a second against single-row INSERT commits of the same PostgreSQL, and their p99 at half that load.
webhooks() {
  bazel build //tests/load:webhook_load //services/standalone:davit-standalone //services/cli:davit >&2
  DAVIT_BIN="$(bazel info bazel-bin 2> /dev/null)" python3 tests/load/webhooks.py "$(bazel info bazel-bin 2> /dev/null)/tests/load/webhook_load"
}

# CPU of one event's evaluation against 100,000 rules of 10,000 repositories.
matching() {
  bazel build //tests/load:matching_load >&2
  "$(bazel info bazel-bin 2> /dev/null)/tests/load/matching_load"
}

run() {
  case "$1" in
    context) context ;;
    webhooks) webhooks ;;
    matching) matching ;;
    *)
      echo "unknown figure: $1; known: ${known[*]}" >&2
      exit 2
      ;;
  esac
}

if [[ $# -gt 1 ]]; then
  echo "usage: bash tests/load/run.sh [name]" >&2
  exit 2
fi
status=0
for figure in "${@:-${known[@]}}"; do
  run "$figure" || status=1
done
exit "$status"
