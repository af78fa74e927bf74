#!/bin/sh
# Writes the program $2 that prints the greeting and the commit $1 it was built from.
set -eu
commit="$1"
program="$2"
greeting="$(cat greeting.txt)"
mkdir -p "$(dirname "$program")"
cat >"$program" <<PROGRAM
#!/bin/sh
echo "$greeting"
echo "commit $commit"
PROGRAM
chmod 755 "$program"
