#!/usr/bin/env bash
# Builds the programs and puts them, with what they need to run, into a directory that becomes the image. Runs in the Dockerfile's build stage.
#
#   bash deploy/images/build.sh DIRECTORY [BAZEL FLAG ...]
set -euo pipefail
cd "$(dirname "$0")/../.."

# What is in the image; deploy/kubernetes may run nothing else.
programs=(
  services/token_registry:token-registry
  services/rule_engine:rule-engine
  services/scheduler:scheduler
  services/webhook_gateway:webhook-gateway
  services/console:davit-console
  services/builder_agent:builder-agent
  services/cli:davit
)

image="${1:?build.sh needs the directory to fill}"
shift
mkdir -p "$image"/{etc/ssl/certs,tmp,usr/local/bin,usr/share}
chmod 1777 "$image/tmp"

bazel build "$@" "${programs[@]/#/\/\/}"
built="$(bazel info "$@" bazel-bin)"
for program in "${programs[@]}"; do
  strip -o "$image/usr/local/bin/${program##*:}" "$built/${program/://}"
done
bazel shutdown

# The libraries that the dynamic loader would find, at the same paths, and the loader.
ldd "$image"/usr/local/bin/* | grep -o '/[^ ]*\.so[^ ]*' | sort -u | while read -r library; do
  install -D "$library" "$image$library"
done

cp /etc/ssl/certs/ca-certificates.crt "$image/etc/ssl/certs/"
# Tags may hold the time of a zone.
cp -a /usr/share/zoneinfo "$image/usr/share/"
printf 'root:x:0:0:root:/:/\ndavit:x:65532:65532:davit:/:/\n' >"$image/etc/passwd"
printf 'root:x:0:\ndavit:x:65532:\n' >"$image/etc/group"
printf 'hosts: files dns\n' >"$image/etc/nsswitch.conf"
