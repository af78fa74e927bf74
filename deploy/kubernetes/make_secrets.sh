#!/usr/bin/env bash
# Prints the Secrets that an installation begins with, as YAML: fresh keys, tokens and passwords, each service's in a Secret of its own.
#
#   bash deploy/kubernetes/make_secrets.sh [--database-admin] | kubectl create -f -
#
# --database-admin: also a password for the PostgreSQL of overlays/dev. Use `create`, not `apply`: new keys over old ones would make everything
# that is sealed with the old ones unreadable. Where another system keeps the secrets (External Secrets, Vault, …), it must make Secrets with
# the same names and keys.
set -euo pipefail

database_admin=""
case "${1:-}" in
  "") ;;
  --database-admin) database_admin=1 ;;
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "make_secrets.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
esac

# 32 random bytes in the letters of base64url.
random() { openssl rand -base64 32 | tr '+/' '-_' | tr -d '=\n'; }

# Prints a Secret with one key:  secret NAMESPACE NAME KEY VALUE
secret() {
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  namespace: %s\n  name: %s\n  labels:\n    app.kubernetes.io/part-of: davit\n' "$1" "$2"
  printf 'type: Opaque\nstringData:\n  %s: |\n' "$3"
  while IFS= read -r line; do printf '    %s\n' "$line"; done <<<"$4"
}

bootstrap=""
# Makes a token of a role and its Secret:  token NAMESPACE NAME ROLE
token() {
  local value
  value="dvt_$(random)"
  secret "$1" "$2" token "$value"
  bootstrap+="${bootstrap:+$'\n'}$3 * $value"
}

secret davit token-registry-keys keys "k1 $(openssl rand -base64 32)"
token davit admin-token admin
token davit rule-engine-token rule-engine
token davit scheduler-token scheduler
token davit webhook-gateway-token gateway
token davit-builders builder-agent-token agent
secret davit bootstrap-tokens tokens "$bootstrap"
for service in token-registry rule-engine scheduler; do
  secret davit "$service-database" password "$(random)"
  secret davit "$service-database-owner" password "$(random)"
done
if [[ -n "$database_admin" ]]; then
  secret davit database-admin password "$(random)"
fi
