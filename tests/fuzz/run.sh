#!/usr/bin/env bash
# Fuzzes what strangers and users send: builds each target with clang, libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer, runs
# it from its seeds in tests/fuzz/corpus/TARGET, and ends with `fuzz: N passed, N failed`.
#
#   bash tests/fuzz/run.sh [seconds] [target ...]      60 seconds, all targets
#
# What is found on the way is kept outside the checkout, in ~/.cache/davit/fuzz (DAVIT_FUZZ_CACHE names another place), and is where the
# next run goes on. The input of a finding stays there too; its path is printed. Its packages are the group `fuzz` of
# deploy/local/install_packages.sh, which it runs. The seeds are also replayed by the unit suite (//tests/fuzz:all), with the usual compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

known=(address dockerfile rule_pattern url webhook_payload webhook_signature)
seconds="${1:-60}"
if [[ ! "$seconds" =~ ^[0-9]+$ ]]; then
  echo "usage: bash tests/fuzz/run.sh [seconds] [target ...]; targets: ${known[*]}" >&2
  exit 2
fi
targets=("${@:2}")
bash deploy/local/install_packages.sh build fuzz
((${#targets[@]})) || targets=("${known[@]}")
cache="${DAVIT_FUZZ_CACHE:-$HOME/.cache/davit/fuzz}"
mkdir -p "$cache"

# A server of its own: other compilers and flags would throw away what the usual one knows.
fuzz_bazel() { CC=clang bazel --output_base="$cache/bazel" "$@"; }
trap 'fuzz_bazel shutdown > /dev/null 2>&1' EXIT

sanitizers=address,undefined
# These need the C++ part of a runtime that Bazel does not link.
unavailable=vptr,function
flags=(
  --repo_env=CC=clang "--copt=-fsanitize=fuzzer-no-link,$sanitizers" "--linkopt=-fsanitize=$sanitizers"
  "--copt=-fno-sanitize=$unavailable"
  --copt=-fno-sanitize-recover=undefined --copt=-fno-omit-frame-pointer --copt=-gline-tables-only
  # gcc's warnings are the ones that this code is held to.
  --copt=-w
  # The usual bazel-bin stays where it is.
  --symlink_prefix=/
)

programs="$(fuzz_bazel info "${flags[@]}" bazel-bin 2> /dev/null)/tests/fuzz"

passed=0
failed=0
for target in "${targets[@]}"; do
  findings="$cache/findings/$target"
  grown="$cache/corpus/$target"
  log="$cache/$target.log"
  mkdir -p "$findings" "$grown"
  if ! fuzz_bazel build "${flags[@]}" "//tests/fuzz:$target" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "FAIL  $target: does not build"
    failed=$((failed + 1))
    continue
  fi
  dictionary=()
  [[ -f "tests/fuzz/corpus/$target.dict" ]] && dictionary=(-dict="tests/fuzz/corpus/$target.dict")
  if UBSAN_OPTIONS=print_stacktrace=1 "$programs/$target" "$grown" "tests/fuzz/corpus/$target" "${dictionary[@]}" \
    -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -artifact_prefix="$findings/" -print_final_stats=1 >"$log" 2>&1; then
    passed=$((passed + 1))
    printf 'ok    %s: %s inputs in %s s\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$seconds"
  else
    failed=$((failed + 1))
    grep -vE '^#[0-9]+[[:space:]]+(NEW|REDUCE|pulse|INITED|RELOAD)' "$log" | tail -n 40
    echo "FAIL  $target: the whole output is in $log"
  fi
done
echo "fuzz: $passed passed, $failed failed"
((failed == 0))
