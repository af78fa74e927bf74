# shellcheck shell=bash
# What up.sh and down.sh share: where things are, progress with times, processes in the background that are found again.
# shellcheck disable=SC2034  # The scripts that source this use the variables.

root="$(dirname "$(dirname "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")")")"
home="${DAVIT_HOME:-/var/lib/davit-local}"
data="$home/data"
bin="$home/bin"
tour="$home/tour"
started_at="${EPOCHREALTIME/./}"

# The seconds since the script began, "3.4".
elapsed() {
  local tenths=$(((${EPOCHREALTIME/./} - started_at) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

step() { printf '[%6s s] %s\n' "$(elapsed)" "$*"; }
note() { printf '           %s\n' "$*"; }
fail() {
  printf '[%6s s] FAILED: %s\n' "$(elapsed)" "$*" >&2
  exit 1
}

# The clock ticks after boot at which process $1 began: with its number, this names it for good.
start_ticks() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

# Starts a program that outlives this script, its output in $home/log/NAME.log:  launch NAME COMMAND...
launch() {
  local name="$1" pid
  shift
  setsid nohup "$@" </dev/null >>"$home/log/$name.log" 2>&1 &
  pid=$!
  printf '%s %s\n' "$pid" "$(start_ticks "$pid")" >"$home/$name.process"
}

# Prints the process number of NAME if it still runs.
running() {
  local pid ticks
  [[ -r "$home/$1.process" ]] || return 1
  read -r pid ticks <"$home/$1.process"
  [[ -n "$ticks" && "$(start_ticks "$pid")" == "$ticks" ]] || return 1
  [[ "$(sed 's/^.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1)" != Z ]] || return 1
  printf '%s\n' "$pid"
}

# Asks NAME to end and waits SECONDS for it, then kills it.
stop() {
  local pid i
  if pid="$(running "$1")"; then
    kill -TERM "$pid" 2>/dev/null || true
    for ((i = 0; i < $2 * 20; i++)); do
      running "$1" >/dev/null || break
      sleep 0.05
    done
    if running "$1" >/dev/null; then
      note "$1 does not end within $2 s; killing it"
      kill -KILL "$pid" 2>/dev/null || true
    fi
  fi
  rm -f "$home/$1.process"
}
