#!/usr/bin/env bash
# Installs the Debian 12 packages of the named groups, and does nothing at all when they are there.
#
#   bash deploy/local/install_packages.sh [build] [run] [test] [fuzz]
#
# The package lists are refreshed only when something is missing. Services that come with a package (PostgreSQL, Docker, …) are not
# started: Davit runs private ones of its own.
set -euo pipefail

build=(
  bazel-bootstrap bazel-platforms bazel-rules-java bazel-rules-proto bazel-skylib g++ git
  libabsl-dev libarchive-dev libboost-url1.81-dev libboost1.81-dev libcrypt-dev libcurl4-openssl-dev libgit2-dev libgmock-dev
  libgrpc++-dev libgtest-dev libjemalloc-dev libnghttp2-dev libpq-dev libpqxx-dev libprotobuf-dev libre2-dev libsimdjson-dev libspdlog-dev libssl-dev libyaml-cpp-dev
  libzstd-dev nlohmann-json3-dev nodejs npm prometheus-cpp-dev protobuf-compiler protobuf-compiler-grpc python3 tzdata
)
run=(
  apache2-utils busybox-static ca-certificates docker-registry docker.io git iproute2 iptables jq libabsl20220623
  libarchive13 libboost-url1.81.0 libcurl4 libgit2-1.5 libgrpc++1.51 libjemalloc2 libnghttp2-14 libpqxx-6.4 libprotobuf32 libre2-9 libsimdjson14
  libspdlog1.10 libprometheus-cpp-core1.0 libprometheus-cpp-pull1.0 libssl3 libyaml-cpp0.7 libzstd1 lighttpd openssl postgresql procps python3 skopeo
  tzdata umoci util-linux
)
test=(chromium clang-format clangd curl fonts-dejavu-core fonts-liberation nodejs npm python3 python3-yaml shellcheck)
fuzz=(clang libclang-rt-14-dev llvm)

# libgit2 before this version has known security defects.
libgit2_minimum=1.5.1+ds-1+deb12u2

# Every installed package, asked for once.
declare -A installed=()
while read -r name; do installed["$name"]=1; done < <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')

missing=()
for group in "${@:-build}"; do
  case "$group" in
    build) packages=("${build[@]}") ;;
    run) packages=("${run[@]}") ;;
    test) packages=("${test[@]}") ;;
    fuzz) packages=("${fuzz[@]}") ;;
    *) echo "install_packages.sh: unknown group $group (build, run, test or fuzz)" >&2; exit 2 ;;
  esac
  for package in "${packages[@]}"; do
    # A program that is already there from another source than its package (nodejs, npm) is as good.
    case "$package" in
      nodejs) command -v node >/dev/null && continue ;;
      npm | chromium | clang-format | clangd | shellcheck) command -v "$package" >/dev/null && continue ;;
    esac
    [[ -n "${installed[$package]:-}" ]] || missing+=("$package")
  done
done
# Whether the installed libgit2 lacks the security updates.
libgit2_is_old() {
  local version
  version="$(dpkg-query -W -f='${Version}' libgit2-1.5 2>/dev/null || true)"
  [[ -n "$version" ]] && dpkg --compare-versions "$version" lt "$libgit2_minimum"
}
warn_of_old_libgit2() {
  libgit2_is_old || return 0
  echo "warning: libgit2-1.5 is older than $libgit2_minimum, which closes security holes; add Debian's security updates (bookworm-security) to apt's sources" >&2
}
# Where there is no apt-get, what is there has to do.
if libgit2_is_old && command -v apt-get >/dev/null; then
  missing+=(libgit2-1.5)
fi
if ((${#missing[@]} == 0)); then
  warn_of_old_libgit2
  exit 0
fi

if ((EUID != 0)); then
  echo "These packages are missing; run as root, or install them yourself: ${missing[*]}" >&2
  exit 1
fi
echo "Installing ${#missing[@]} packages: ${missing[*]}"
policy=/usr/sbin/policy-rc.d
if [[ ! -e "$policy" ]]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
warn_of_old_libgit2
