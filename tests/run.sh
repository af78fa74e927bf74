#!/usr/bin/env bash
# Installs what the tests need, builds everything, runs every test, and ends with one line `N passed, N failed`.
#
#   bash tests/run.sh [--only unit|lint|e2e|console|conformance|chaos|manifests|images] [--config asan|tsan]
#
# The suites are described in tests/README.md. --config runs the unit suite under sanitizers and leaves the others out.
set -euo pipefail
cd "$(dirname "$0")/.."

only=""
bazel_config=()
while (($#)); do
  case "$1" in
    --only) only="${2:?--only needs a suite: unit, lint, e2e, console, conformance, chaos, manifests or images}"; shift 2 ;;
    --config) bazel_config=(--config="${2:?--config needs asan or tsan}"); only=unit; shift 2 ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "tests/run.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
  esac
done

passed=0
failed=0
started=$SECONDS

# Prints what lint said in the background, and returns its status.
lint_result() {
  cat "$lint_log"
  return "$lint_status"
}

# Prints a heading with the time that has gone by.
step() { printf '\n== %s  [%d:%02d]\n' "$1" $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)); }

wants() { [[ -z "$only" || "$only" == "$1" ]]; }

# Runs a suite that ends with a line `NAME: N passed, N failed` and adds its counts; a suite without that line has failed.
run_suite() {
  local name="$1" line log
  shift
  log="$(mktemp)"
  local status=0
  "$@" 2>&1 | tee "$log" || status=$?
  line="$(grep -E "^$name: [0-9]+ passed, [0-9]+ failed" "$log" | tail -n 1 || true)"
  rm -f "$log"
  if [[ "$line" =~ :\ ([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    if ((status != 0 && BASH_REMATCH[2] == 0)); then
      echo "tests/run.sh: suite $name exited with $status although it counted no failure" >&2
      failed=$((failed + 1))
    fi
  else
    echo "tests/run.sh: suite $name ended without its count (exit $status)" >&2
    failed=$((failed + 1))
  fi
}

step "Installing packages"
bash deploy/local/install_packages.sh build run test

if wants unit || wants e2e || wants console || wants conformance || wants chaos || wants manifests || wants images; then
  step "Building"
  bash services/console/build_app.sh
  bazel build "${bazel_config[@]}" //...
fi
if wants unit; then
  step "Unit tests"
  run_suite unit python3 tests/unit.py "${bazel_config[@]}"
fi
# Lint is all computing and the suites of processes mostly wait: it runs beside them, on what they leave idle, with a Bazel of its own.
lint_log=""
if wants lint; then
  step "Lint, beside what follows"
  lint_log="$(mktemp)"
  BAZEL_FLAGS="--output_base=$(bazel info output_base 2>/dev/null)-lint --max_idle_secs=15" \
    setsid nice -n 19 bash tests/lint/run.sh >"$lint_log" 2>&1 &
  lint=$!
  # Of its own process group: what it started ends with it.
  trap 'kill -- "-$lint" 2>/dev/null || true; rm -f "$lint_log"' EXIT
fi
if wants e2e; then
  step "End to end"
  run_suite e2e python3 tests/e2e/run.py
fi
if wants console; then
  step "Console"
  run_suite console python3 tests/console/run.py
fi
if wants conformance; then
  step "Conformance"
  run_suite conformance python3 tests/conformance/run.py
fi
if wants chaos; then
  step "Chaos"
  run_suite chaos python3 tests/chaos/run.py
fi
if wants manifests; then
  step "Manifests"
  run_suite manifests python3 tests/manifests/run.py
fi
if wants images; then
  step "Images"
  run_suite images python3 tests/images/run.py
fi
if [[ -n "$lint_log" ]]; then
  step "Lint"
  lint_status=0
  wait "$lint" || lint_status=$?
  run_suite lint lint_result
fi

step "Done"
echo "$passed passed, $failed failed"
((failed == 0))
