#!/usr/bin/env bash
# nested.sh FOLDER : vet and tests of a module of its own. Where its modules
# cannot be had (no network, empty cache) it says so and is not a failure: the
# product does not depend on it.
set -euo pipefail
counter=${BUILD:-$PWD/build}/testcount
"${GO:-go}" build -buildvcs=false -o "$counter" ./scripts/testcount
cd "$1"
if ! out=$("${GO:-go}" mod download 2>&1); then
  echo "not run: $1: its modules cannot be had here: $(tail -1 <<<"$out")"
  exit 0
fi
"${GO:-go}" vet ./...
"$counter" -count=1 -timeout 8m ./... # they run the binary, which no cache of tests knows of
