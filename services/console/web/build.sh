#!/bin/sh
# Builds the web app into OUTDIR, with .br and .gz beside every file, for embedding into the console's binary.
set -eu
if [ "$#" -ne 1 ]; then
    echo "usage: $0 OUTDIR" >&2
    exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
npm ci --no-audit --no-fund --ignore-scripts
npx vite build --outDir "$out" --emptyOutDir --logLevel warn
node precompress.mjs "$out"
