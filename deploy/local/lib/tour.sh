# shellcheck shell=bash disable=SC2154
# The steps of up.sh: build, start, register, push, follow, verify. Sourced after common.sh; uses its variables and up.sh's.

davit() { DAVIT_SERVER="$listen" DAVIT_TOKEN_FILE="$data/admin.token" "$bin/davit" "$@"; }

# Builds the two programs unless nothing has changed since they were copied to $bin.
build_programs() {
  local programs=(services/cli:davit services/standalone:davit-standalone) program changed
  if [[ -x "$bin/davit" && -x "$bin/davit-standalone" ]]; then
    changed="$(cd "$root" && find WORKSPACE .bazelrc libs proto services -name node_modules -prune -o \
      -newer "$bin/davit-standalone" -print -quit)"
    if [[ -z "$changed" ]]; then
      step "Programs are up to date"
      return
    fi
  fi
  step "Building (the first time takes a while; later ones seconds)"
  local cache="${XDG_CACHE_HOME:-$HOME/.cache}/davit/bazel" stamp
  stamp="$(mktemp -p "$home")"
  mkdir -p "$cache"
  bash "$root/services/console/build_app.sh" >"$home/log/build_app.log" 2>&1 || {
    tail -n 20 "$home/log/build_app.log" >&2
    fail "the console's web app could not be built (npm fetches its packages from the network); the whole output: $home/log/build_app.log"
  }
  read -ra bazel <<<"${BAZEL:-bazel}"
  (cd "$root" && "${bazel[@]}" build --disk_cache="$cache" --show_progress --show_progress_rate_limit=10 --curses=no \
    --ui_event_filters=-info,-debug "${programs[@]/#/\/\/}" 2>&1 | sed 's/^/           /') || fail "the build failed"
  local out
  out="$(cd "$root" && "${bazel[@]}" info --disk_cache="$cache" bazel-bin 2>/dev/null)"
  for program in "${programs[@]}"; do
    install -m 755 "$out/${program/://}" "$bin/${program#*:}.new"
    touch -r "$stamp" "$bin/${program#*:}.new"
    mv "$bin/${program#*:}.new" "$bin/${program#*:}"
  done
  rm -f "$stamp"
}

# A port of 127.0.0.1 at or after $1 that nobody listens on.
free_port() {
  local port="$1"
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}

# The port kept in file $1; chosen from $2 on when there is none yet.
kept_port() {
  [[ -s "$1" ]] || free_port "$2" >"$1"
  cat "$1"
}

start_git() {
  git_port="$(kept_port "$tour/git_port" 7090)"
  local address
  for address in "$listen" "$webhook_listen" "$console_listen"; do
    [[ "${address##*:}" != "$git_port" ]] ||
      fail "$address is taken: earlier runs kept port $git_port for the sample's git server. Start afresh with down.sh --purge, or choose another port (up.sh --help)"
  done
  if running git >/dev/null; then return; fi
  mkdir -p "$tour/git"
  [[ -s "$tour/git/token" ]] || (umask 077 && openssl rand -hex 24 >"$tour/git/token")
  launch git bash "$here/lib/git_server.sh" "$tour/git" "$git_port"
}

# Prints what davit-standalone says until it is ready.
await_standalone() {
  local shown="$1" size
  while [[ ! -e "$data/run/ready" ]]; do
    running standalone >/dev/null || {
      tail -n 20 "$home/log/standalone.log" >&2
      fail "davit-standalone ended; its whole output: $home/log/standalone.log"
    }
    sleep 0.05
    size="$(stat -c %s "$home/log/standalone.log")"
    if ((size > shown)); then
      tail -c +$((shown + 1)) "$home/log/standalone.log" | head -c $((size - shown)) | sed 's/^/           /'
      shown="$size"
    fi
  done
}

start_everything() {
  registry="${DAVIT_REGISTRY_LISTEN:-127.0.0.1:$(kept_port "$tour/registry_port" 5000)}"
  start_git
  if running standalone >/dev/null && [[ -e "$data/run/ready" ]]; then
    step "Davit is up already, on $listen"
    if [[ "$bin/davit-standalone" -nt "$home/standalone.process" ]]; then
      note "it still runs the programs of before; down.sh and up.sh start the new ones"
    fi
    return
  fi
  step "Starting davit-standalone and a git server (http://127.0.0.1:$git_port, token authentication)"
  rm -f "$data/run/ready"
  touch "$home/log/standalone.log"
  local before
  before="$(stat -c %s "$home/log/standalone.log")"
  launch standalone "$bin/davit-standalone" --data_dir="$data" --listen="$listen" --webhook_listen="$webhook_listen" \
    --console_listen="$console_listen" --registry_listen="$registry" --allow_hosts="127.0.0.1:$git_port,$registry"
  # While it starts: the base image.
  [[ -e "$tour/base/index.json" ]] || python3 "$here/lib/base_image.py" "$tour/base"
  await_standalone "$before"
  step "Davit is up: gRPC $listen, webhooks $webhook_listen, registry $registry"
}

# Prints an address of the console that signs in once, within ten minutes, as the administrator.
sign_in_link() {
  local code
  code="$(head -c 32 /dev/urandom | base64 -w0 | tr '+/' '-_' | tr -d '=')"
  (
    umask 077
    exec 9>>"$data/secrets/sign_in_codes"
    flock 9
    printf '%s %s %s\n' "$code" "$(($(date +%s) + 600))" "$(<"$data/admin.token")" >&9
  )
  printf 'http://%s/sign-in#code=%s\n' "$console_listen" "$code"
}

# A file for skopeo with the private registry's credential; a command line could be read by everyone.
write_auth_file() {
  local password
  password="$(<"$data/secrets/registry.password")"
  (umask 077 && jq -n --arg host "$registry" --arg auth "$(printf 'davit:%s' "$password" | base64 -w0)" \
    '{auths: {($host): {auth: $auth}}}' >"$tour/auth.json")
}

register_once() {
  write_auth_file
  if [[ -e "$tour/registered" ]]; then return; fi
  step "Pushing the base image to $registry/base/busybox:latest (busybox-static, made on this machine)"
  skopeo copy -q --dest-tls-verify=false --authfile "$tour/auth.json" "oci:$tour/base:latest" "docker://$registry/base/busybox:latest"

  [[ -d "$tour/git/repositories/$repository.git" ]] || bash "$here/lib/git_repository.sh" "$tour/git" "$repository"
  step "Registering the git server's token, a rule and a webhook"
  connection="$(davit connect create --provider git --name local-git --base-url "http://127.0.0.1:$git_port" \
    --token-file "$tour/git/token" --probe-repository "$repository" -o json | jq -r .id)"
  davit rule create --name hello --connection "$connection" --repository "$repository" --branch main --tag 'v*' \
    --image "$registry/$repository" --image-tag '{ref}-{commit:7}' --image-tag latest --build-arg "REGISTRY=$registry" >/dev/null
  (umask 077 && davit webhook create "$connection" --repository "$repository" -o json >"$tour/webhook.json")
  (umask 077 && jq --arg url "http://$webhook_listen" --arg repository "$repository" \
    '{url: ($url + .path), secret: .secret, repository: $repository}' "$tour/webhook.json" \
    >"$tour/git/repositories/$repository.git/hooks/davit.json")
  rm -f "$tour/webhook.json"
  echo "$connection" >"$tour/registered"
}

push_sample() {
  local work="$tour/work"
  local git=(git -C "$work" -c user.name=Davit -c user.email=davit@localhost)
  if [[ ! -d "$work/.git" ]]; then
    mkdir -p "$work"
    git -C "$work" init -q -b main
  fi
  cp -r "$here/sample/." "$work/"
  printf 'Hello from a push of %s.\n' "$(date -u +%FT%TZ)" >>"$work/greeting.txt"
  "${git[@]}" add -A
  "${git[@]}" commit -q -m "Say hello at $(date -u +%FT%TZ)"
  commit="$("${git[@]}" rev-parse HEAD)"
  step "git push: commit ${commit:0:12} to http://127.0.0.1:$git_port/$repository.git; the server's hook sends the signed webhook"
  GIT_ASKPASS="$here/lib/askpass.sh" DAVIT_GIT_TOKEN_FILE="$tour/git/token" GIT_TERMINAL_PROMPT=0 \
    "${git[@]}" push -q "http://git@127.0.0.1:$git_port/$repository.git" main 2>&1 | sed 's/^/           /'
}

# The build of the pushed commit, once the rule has asked for it.
find_build() {
  davit builds --repository "$repository" -o json |
    jq -r --arg commit "$commit" '[.builds[]? | select(.spec.git.commit == $commit) | .id][0] // empty'
}

follow_build() {
  local i
  build=""
  for ((i = 0; i < 200; i++)); do
    build="$(find_build)"
    [[ -z "$build" ]] || break
    sleep 0.1
  done
  [[ -n "$build" ]] || fail "the push made no build within 20 s; see: davit events"
  step "Build $build; its log:"
  davit logs -f "$build" | sed 's/^/           | /'
  davit builds get "$build" -o json >"$tour/build.json"
  local state
  state="$(jq -r '.state' "$tour/build.json")"
  [[ "$state" == BUILD_STATE_SUCCEEDED ]] || fail "the build ended as $state: $(jq -r '.failure.message // ""' "$tour/build.json")"
  digest="$(jq -r '.image_digest' "$tour/build.json")"
  step "Image: $registry/$repository@$digest"
  note "tags: $(jq -r '[.tag_results[]? | select(.set) | .tag] | join(", ")' "$tour/build.json")"
}

# Pulls the image with skopeo, unpacks it with umoci and runs its program.
verify_image() {
  local copy printed
  copy="$(mktemp -d -p "$tour")"
  step "Verifying: pulling with skopeo, unpacking with umoci, running the program"
  skopeo copy -q --src-tls-verify=false --authfile "$tour/auth.json" "docker://$registry/$repository@$digest" "oci:$copy/layout:image"
  umoci unpack --image "$copy/layout:image" "$copy/bundle" >/dev/null 2>&1
  printed="$(unshare --net chroot --userspec=65534:65534 "$copy/bundle/rootfs" /bin/hello)"
  rm -rf "$copy"
  printf '%s\n' "$printed" | sed 's/^/           | /'
  [[ "$printed" == *"commit $commit" ]] || fail "the program does not print commit $commit"
}

say_what_next() {
  cat <<NEXT

Davit is running. Its console, with a link that signs in once, within ten minutes:

  $(sign_in_link)

What else to try:

  export PATH="$bin:\$PATH" DAVIT_SERVER=$listen DAVIT_TOKEN_FILE=$data/admin.token
  davit builds                       # what was built
  davit events                       # what was pushed, and what each rule made of it
  davit build --connection $(<"$tour/registered") --repository $repository --branch main --image $registry/$repository:try \\
      --build-arg REGISTRY=$registry --wait
  skopeo inspect --tls-verify=false --authfile $tour/auth.json docker://$registry/$repository:latest

  Edit $tour/work, commit, and run  bash deploy/local/up.sh  again to push: another image.
  bash deploy/local/down.sh          # stops everything
NEXT
}
