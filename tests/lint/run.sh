#!/usr/bin/env bash
# Checks the whole repository: formatting, clang-tidy, buildifier, buf, shellcheck, house rules. Prints a line per check, the findings
# of those that fail, and at the end `lint: N passed, N failed`.
#
#   bash tests/lint/run.sh [check ...]
#
# Checks: clang-format clang-tidy buildifier buf-lint buf-breaking shellcheck and those of house_rules.py. Environment: BAZEL_FLAGS are put
# between bazel and its command (an --output_base, for example). buildifier and buf come from npm, pinned by package-lock.json.
set -euo pipefail
cd "$(dirname "$0")/../.."

passed=0
failed=0
wanted=("$@")
output="$(mktemp)"
trap 'rm -f "$output"' EXIT

wants() {
  local check
  ((${#wanted[@]})) || return 0
  for check in "${wanted[@]}"; do [[ "$check" == "$1" ]] && return 0; done
  return 1
}

# Runs a check: its output is shown only when it fails.
check() {
  local name="$1" started=$SECONDS
  shift
  wants "$name" || return 0
  if "$@" >"$output" 2>&1; then
    passed=$((passed + 1))
    printf 'ok    %s  [%ds]\n' "$name" $((SECONDS - started))
  else
    failed=$((failed + 1))
    printf 'FAIL  %s  [%ds]\n' "$name" $((SECONDS - started))
    sed 's/^/      /' "$output"
  fi
}

# The repository's files with these endings, those not committed yet included, those deleted left out.
files() {
  local file
  git ls-files -z --cached --others --exclude-standard -- "$@" | sort -zu | while IFS= read -r -d '' file; do
    [[ -f "$file" ]] && printf '%s\0' "$file"
  done
}

clang_format() { files '*.cc' '*.h' | xargs -0 clang-format --dry-run -Werror; }

clang_tidy() {
  local status=0 log flags
  log="$(mktemp)"
  read -r -a flags <<<"${BAZEL_FLAGS:-}"
  # The links in the checkout stay those of the last build.
  bazel "${flags[@]}" build --experimental_convenience_symlinks=ignore --keep_going --aspects=//libs/third_party/bazel:clang_tidy.bzl%clang_tidy \
    --output_groups=clang_tidy -- //libs/... //services/... >"$log" 2>&1 || status=$?
  # The findings, or Bazel's own words when it could not even begin.
  if ((status)); then grep -E '^[^ ]+: .* \[[a-z0-9.-]+\]$' "$log" | sort -u || cat "$log"; fi
  rm -f "$log"
  return "$status"
}

# Bazel 4.2.3 has the C++ rules built in; there is nothing to load them from.
buildifier() {
  files '*.bazel' '*.bzl' WORKSPACE | xargs -0 tests/lint/node_modules/.bin/buildifier -mode=check -lint=warn \
    -warnings=-native-cc-binary,-native-cc-info,-native-cc-library,-native-cc-test
}

buf_lint() { tests/lint/node_modules/.bin/buf lint proto; }

# Against main, where there is such a branch with contracts in it.
buf_breaking() {
  local base
  for base in refs/remotes/origin/main refs/heads/main; do
    if git cat-file -e "$base:proto/buf.yaml" 2>/dev/null; then
      tests/lint/node_modules/.bin/buf breaking proto --against ".git#ref=$(git rev-parse "$base"),subdir=proto"
      return
    fi
  done
  echo "no main to compare with"
}

# SC2317 takes functions that are called through "$@" for unreachable.
shell_check() { files '*.sh' .ci/run | xargs -0 shellcheck --exclude=SC2317; }

house_rule() { files | python3 tests/lint/house_rules.py "$1"; }

if wants buildifier || wants buf-lint || wants buf-breaking; then
  if ! cmp -s tests/lint/package-lock.json tests/lint/node_modules/.installed; then
    # Not `npm ci`, which wants every platform's build of buf in the lock file, even those that the registry does not have.
    (cd tests/lint && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp tests/lint/package-lock.json tests/lint/node_modules/.installed
  fi
fi
check clang-format clang_format
check buildifier buildifier
check buf-lint buf_lint
check buf-breaking buf_breaking
check shellcheck shell_check
for rule in $(python3 tests/lint/house_rules.py --list); do
  check "$rule" house_rule "$rule"
done
check clang-tidy clang_tidy

echo "lint: $passed passed, $failed failed"
((failed == 0))
